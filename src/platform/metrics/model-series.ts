import { STATUS_CODES } from 'node:http';
import type { Counter, Histogram } from 'prom-client';
import { UPSTREAM_ERRORS, type EndedRequest } from '../../domain/ended-request.ts';
import type { EdgeFamilies } from './edge-families.ts';

/** A counter with its labels already given. */
type Bound = ReturnType<Counter['labels']>;
type BoundHistogram = Pick<ReturnType<Histogram['labels']>, 'observe'>;

/** Every status that is one, and that of clients that left. */
const STATUSES: ReadonlySet<number> = new Set([...Object.keys(STATUS_CODES).map(Number), 499]);
const DIRECTIONS = ['in', 'out'] as const;

/** Seconds in a millisecond. */
const MILLI = 1 / 1000;

/** The series of one model, found once and then only counted up: to find a series by its labels costs more than to count. */
export class ModelSeries {
  readonly #model: string;
  readonly #families: EdgeFamilies;
  /** By route, then by status. */
  readonly #requests = new Map<string, Map<string, Bound>>();
  #duration: BoundHistogram | undefined;
  #queueWait: BoundHistogram | undefined;
  #firstByte: BoundHistogram | undefined;
  #tokensIn: Bound | undefined;
  #tokensOut: Bound | undefined;

  constructor(model: string, families: EdgeFamilies) {
    this.#model = model;
    this.#families = families;
  }

  count(request: EndedRequest): void {
    this.#countRequest(request.route, request.status);
    this.#observe(request);
    this.#countTokens(request);
    const { upstreamError: kind } = request;
    if (kind !== undefined) this.#families.upstreamErrors.inc({ model: this.#model, kind });
  }

  /** Takes all of them out of the registry. */
  remove(): void {
    const [model, families] = [this.#model, this.#families];
    for (const [route, codes] of this.#requests) {
      for (const code of codes.keys()) families.requests.remove({ model, route, code });
    }
    for (const kind of UPSTREAM_ERRORS) families.upstreamErrors.remove({ model, kind });
    for (const direction of DIRECTIONS) families.tokens.remove({ model, direction });
    for (const family of [families.duration, families.queueWait, families.firstByte]) family.remove({ model });
  }

  #countRequest(route = '', status: number): void {
    const code = STATUSES.has(status) ? String(status) : 'other';
    const known = this.#requests.get(route);
    const series = known?.get(code);
    if (series !== undefined) {
      series.inc();
      return;
    }
    const added = this.#families.requests.labels({ model: this.#model, route, code });
    if (known === undefined) this.#requests.set(route, new Map([[code, added]]));
    else known.set(code, added);
    added.inc();
  }

  #observe({ duration, waited, firstByte }: EndedRequest): void {
    const [model, families] = [this.#model, this.#families];
    this.#duration ??= families.duration.labels({ model });
    this.#duration.observe(duration * MILLI);
    if (waited > 0) {
      this.#queueWait ??= families.queueWait.labels({ model });
      this.#queueWait.observe(waited * MILLI);
    }
    if (firstByte !== undefined) {
      this.#firstByte ??= families.firstByte.labels({ model });
      this.#firstByte.observe(firstByte * MILLI);
    }
  }

  /** Unknown is not zero: what was not said is not counted. */
  #countTokens({ tokensIn, tokensOut }: EndedRequest): void {
    const [model, { tokens }] = [this.#model, this.#families];
    if (tokensIn !== undefined) {
      this.#tokensIn ??= tokens.labels({ model, direction: 'in' });
      this.#tokensIn.inc(tokensIn);
    }
    if (tokensOut !== undefined) {
      this.#tokensOut ??= tokens.labels({ model, direction: 'out' });
      this.#tokensOut.inc(tokensOut);
    }
  }
}
