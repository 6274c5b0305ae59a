import { STATUS_CODES } from 'node:http';
import { UPSTREAM_ERRORS, type EndedRequest } from '../../domain/ended-request.ts';
import type { EdgeFamilies } from './edge-families.ts';

/** Every status that is one, and that of clients that left. */
const STATUSES: ReadonlySet<number> = new Set([...Object.keys(STATUS_CODES).map(Number), 499]);
const DIRECTIONS = ['in', 'out'] as const;

/** Seconds in a millisecond. */
const MILLI = 1 / 1000;
/** Requests of which the families have not been told, at most. */
const MOST_UNTOLD = 1000;

/** Requests of one route and status that have ended since the families were told. */
interface Tally {
  readonly route: string;
  readonly code: string;
  requests: number;
}

/**
 * The series of one model. Counts in plain numbers, and tells prom-client at a scrape: each of its counters looks its series up anew
 * for each request, which takes several times as long as counting.
 */
export class ModelSeries {
  readonly #model: string;
  readonly #families: EdgeFamilies;
  /** By route, then by status. */
  readonly #tallies = new Map<string, Map<number, Tally>>();
  readonly #durations: number[] = [];
  readonly #firstBytes: number[] = [];
  /** `undefined`: nothing was said, which is not zero. */
  #tokensIn: number | undefined;
  #tokensOut: number | undefined;

  constructor(model: string, families: EdgeFamilies) {
    this.#model = model;
    this.#families = families;
  }

  count({ route = '', status, duration, waited, firstByte, tokensIn, tokensOut, upstreamError }: EndedRequest): void {
    this.#tally(route, STATUSES.has(status) ? status : undefined);
    this.#durations.push(duration * MILLI);
    if (firstByte !== undefined) this.#firstBytes.push(firstByte * MILLI);
    this.#tokensIn = sumOf(this.#tokensIn, tokensIn);
    this.#tokensOut = sumOf(this.#tokensOut, tokensOut);
    if (waited > 0) this.#families.queueWait.observe({ model: this.#model }, waited * MILLI);
    if (upstreamError !== undefined) this.#families.upstreamErrors.inc({ model: this.#model, kind: upstreamError });
    if (this.#durations.length >= MOST_UNTOLD) this.tell();
  }

  /** Tells the families what was counted since the last time. */
  tell(): void {
    const [model, families] = [this.#model, this.#families];
    for (const tally of this.#allTallies()) {
      const { route, code, requests } = tally;
      if (requests > 0) families.requests.inc({ model, route, code }, requests);
      tally.requests = 0;
    }
    for (const seconds of this.#durations.splice(0)) families.duration.observe({ model }, seconds);
    for (const seconds of this.#firstBytes.splice(0)) families.firstByte.observe({ model }, seconds);
    if (this.#tokensIn !== undefined) families.tokens.inc({ model, direction: 'in' }, this.#tokensIn);
    if (this.#tokensOut !== undefined) families.tokens.inc({ model, direction: 'out' }, this.#tokensOut);
    this.#tokensIn = undefined;
    this.#tokensOut = undefined;
  }

  /** Takes all of them out of the registry. */
  remove(): void {
    const [model, families] = [this.#model, this.#families];
    for (const { route, code } of this.#allTallies()) families.requests.remove({ model, route, code });
    for (const kind of UPSTREAM_ERRORS) families.upstreamErrors.remove({ model, kind });
    for (const direction of DIRECTIONS) families.tokens.remove({ model, direction });
    for (const family of [families.duration, families.queueWait, families.firstByte]) family.remove({ model });
  }

  /** `status`: `undefined` stands for all that are none. */
  #tally(route: string, status = 0): void {
    const byStatus = this.#tallies.get(route);
    const known = byStatus?.get(status);
    if (known !== undefined) {
      known.requests += 1;
      return;
    }
    const added = { route, code: status === 0 ? 'other' : String(status), requests: 1 };
    if (byStatus === undefined) this.#tallies.set(route, new Map([[status, added]]));
    else byStatus.set(status, added);
  }

  *#allTallies(): Iterable<Tally> {
    for (const byStatus of this.#tallies.values()) yield* byStatus.values();
  }
}

/** Unknown is not zero: what was not said adds nothing. */
const sumOf = (sum: number | undefined, more: number | undefined): number | undefined =>
  more === undefined ? sum : sum === undefined ? more : sum + more;
