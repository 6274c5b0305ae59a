import { matches, type FakeMatch, type FakeRequest } from './fake-api-request.ts';

/** What is done to a call in place of, or after, serving it. */
export type FakeFault =
  /** A refusal; `retryAfter` in seconds. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfter?: number;
    }
  /** The connection is reset before the call has any effect. */
  | { readonly kind: 'reset' }
  /** The call has its effect, and then the connection is reset. */
  | { readonly kind: 'reset-after' }
  /** Nothing is ever answered. */
  | { readonly kind: 'hang' }
  /** A 200 with these very bytes, and then the given end. */
  | { readonly kind: 'bytes'; readonly bytes: string | Uint8Array; readonly end: 'fin' | 'reset' | 'silence' };

/** Calls that wait. */
export interface FakeHold {
  /** How many are waiting or have waited. */
  readonly arrived: number;
  /** Lets them go on, and all that come later. */
  release(): void;
}

interface Rule {
  readonly match: FakeMatch;
  readonly fault: FakeFault;
  left: number;
}

interface Hold {
  readonly match: FakeMatch;
  readonly at: 'request' | 'answer';
  readonly released: Promise<void>;
  arrived: number;
}

/** Which calls are to fail or to wait. */
export class FakeApiFaults {
  readonly #rules: Rule[] = [];
  readonly #holds = new Set<Hold>();
  readonly #releases = new Set<() => void>();

  /** The next `times` calls that match fail so. Rules are tried in the order they were made. */
  fail(match: FakeMatch, fault: FakeFault, times: number): void {
    this.#rules.push({ match, fault, left: times });
  }

  /** No call fails any more. */
  heal(): void {
    this.#rules.length = 0;
  }

  hold(match: FakeMatch, at: Hold['at']): FakeHold {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const hold: Hold = { match, at, released: promise.then(() => undefined), arrived: 0 };
    const release = (): void => {
      this.#holds.delete(hold);
      resolve(undefined);
    };
    this.#holds.add(hold);
    this.#releases.add(release);
    return {
      get arrived(): number {
        return hold.arrived;
      },
      release,
    };
  }

  releaseAll(): void {
    for (const release of this.#releases) release();
  }

  take(request: FakeRequest): FakeFault | undefined {
    const rule = this.#rules.find(({ match, left }) => left > 0 && matches(request, match));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    return rule.fault;
  }

  /** The hold that is to be waited for, if any, which then counts the call. */
  waiting(request: FakeRequest, at: Hold['at']): Promise<void> | undefined {
    const hold = [...this.#holds].find((known) => known.at === at && matches(request, known.match));
    if (hold === undefined) return undefined;
    hold.arrived += 1;
    return hold.released;
  }
}
