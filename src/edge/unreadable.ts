import { HEAD_TOO_LARGE } from './framing.ts';
import type { Refusal } from './refusal.ts';

/** What the code of Node's `clientError` means for the client. `undefined`: the connection is gone, nobody is there to tell. */
export function unreadable(code: string | undefined): Refusal | undefined {
  switch (String(code)) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return TOO_SLOW;
    case 'HPE_HEADER_OVERFLOW':
      return HEAD_TOO_LARGE;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return CHUNK_EXTENSIONS;
    case 'HPE_PAUSED_H2_UPGRADE':
    case 'HPE_INVALID_VERSION':
      return { ...NOT_HTTP, status: 505, message: 'HTTP/1.1 is spoken here' };
    default:
      return code?.startsWith('HPE_') === true ? NOT_HTTP : undefined;
  }
}

const NOT_HTTP: Refusal = {
  status: 400,
  code: 'bad_request',
  message: 'what came is not a request by RFC 9112 (HTTP/1.1)',
  close: true,
};

const CHUNK_EXTENSIONS: Refusal = {
  status: 413,
  code: 'body_too_large',
  message: 'the chunk extensions of the body are too large',
  close: true,
};

const TOO_SLOW: Refusal = {
  status: 408,
  code: 'head_too_slow',
  message: 'the request did not come in time',
  close: true,
};
