import type { Log } from '../platform/log.ts';
import type { EdgeObserver } from './observer.ts';

/** Characters of a path in the log. */
const MAX_LOGGED_PATH = 256;

/** One line for each request. What is not known of it has no field. */
export const accessLog = (log: Log): EdgeObserver => ({
  ended: (request) => {
    const { method, path, client, model, status, route, code, requestId, keyId, bytesIn, bytesOut } = request;
    const { duration, waited, firstByte, tokensIn, tokensOut, upstreamError, complete } = request;
    log.info('request', {
      method,
      path: path.slice(0, MAX_LOGGED_PATH),
      model,
      status,
      ms: Math.round(duration),
      waitedMs: Math.round(waited),
      route,
      code,
      requestId,
      client,
      keyId,
      bytesIn,
      bytesOut,
      ttfbMs: firstByte === undefined ? undefined : Math.round(firstByte),
      tokensIn,
      tokensOut,
      upstreamError,
      cut: complete ? undefined : true,
    });
  },
});
