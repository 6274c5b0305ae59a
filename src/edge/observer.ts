import type { EndedRequest } from '../domain/ended-request.ts';

/** Whoever looks at the edge from outside: the access log, the metrics. Told once of each request, when it has ended. */
export interface EdgeObserver {
  /** Called in the data path: takes microseconds, and waits for nothing. */
  ended(request: EndedRequest): void;
}

/** Tells several observers. */
export const observedBy = (...observers: readonly EdgeObserver[]): EdgeObserver => ({
  ended: (request) => {
    for (const observer of observers) observer.ended(request);
  },
});
