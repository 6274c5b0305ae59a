import type { Trace } from '../scenario.ts';
import { WaitLine } from './wait-line.ts';

/** Who waits, and when each gives up: all have the same patience, so that who came first gives up first. */
export class Patience {
  readonly #came: Trace['at'];
  readonly #maxWait: number;
  /** Those that wait no more are passed over when their turn comes. */
  readonly #line = new WaitLine<number>();
  readonly #waiting = new Set<number>();

  constructor({ at }: Trace, maxWait: number) {
    this.#came = at;
    this.#maxWait = maxWait;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** A request begins to wait: no earlier than those before it. */
  add(request: number): void {
    this.#waiting.add(request);
    this.#line.push(request);
  }

  /** A request waits no more. */
  remove(request: number): void {
    this.#waiting.delete(request);
  }

  /** Who gives up next; `undefined`: nobody waits. */
  get first(): { readonly request: number; readonly givesUpAt: number } | undefined {
    for (;;) {
      const request = this.#line.first;
      const came = request === undefined ? undefined : this.#came[request];
      if (request === undefined || came === undefined) return undefined;
      if (this.#waiting.has(request)) return { request, givesUpAt: came + this.#maxWait };
      this.#line.shift();
    }
  }
}
