import type { Dispatcher } from 'undici';
import { NotSent } from './kube-api.ts';

/**
 * Lets no write go out while `whyNot` gives a reason. It is asked when the connection stands and the first byte is about to
 * be written, in the same turn of the event loop: a call may have waited for a connection, and the process been stopped.
 */
export const guardWrites =
  (whyNot: () => string | undefined): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, options.method === 'GET' ? handler : guarded(handler, whyNot));

/** What `onRequestStart` throws ends the request before anything of it is written. */
const guarded = (inner: Dispatcher.DispatchHandler, whyNot: () => string | undefined): Dispatcher.DispatchHandler => ({
  onRequestStart: (controller, context) => {
    const reason = whyNot();
    if (reason !== undefined) throw new NotSent(reason);
    inner.onRequestStart?.(controller, context);
  },
  onResponseStart: (...told) => inner.onResponseStart?.(...told),
  onResponseData: (...told) => inner.onResponseData?.(...told),
  onResponseEnd: (...told) => inner.onResponseEnd?.(...told),
  onResponseError: (...told) => inner.onResponseError?.(...told),
});
