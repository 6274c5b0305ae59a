import type { Registry } from 'prom-client';
import type { EndedRequest } from '../../domain/ended-request.ts';
import { minutes, seconds, since, type Duration, type Instant } from '../../domain/units.ts';
import { createEdgeFamilies, type EdgeFamilies, type ModelReading } from './edge-families.ts';
import { ModelSeries } from './model-series.ts';

/** What the metrics of an edge are taken from. */
export interface EdgeSight {
  /** Each declared model, and what it has to do now. Read at each scrape. */
  readonly models: () => Iterable<ModelReading>;
  /** Whether a model is declared under this very name now. */
  readonly isDeclared: (model: string) => boolean;
  readonly now: () => Instant;
}

/** How long the series of a model outlive its declaration: long enough for every scraper to see where they ended. */
export const KEPT_AFTER: Duration = minutes(15);
/** The series are looked through at most this often. */
const LOOK_EVERY: Duration = seconds(60);

/** Counts each request that has ended. What it holds is bounded by what is declared, whatever clients send. */
export class EdgeMetrics {
  readonly #sight: EdgeSight;
  readonly #families: EdgeFamilies;
  readonly #series = new Map<string, ModelSeries>();
  /** Models that have series and are declared no more, and when that was first seen. */
  readonly #left = new Map<string, Instant>();
  readonly #bytes = { in: 0, out: 0 };
  #looked: Instant;

  constructor(registry: Registry, sight: EdgeSight) {
    this.#sight = sight;
    this.#looked = sight.now();
    this.#families = createEdgeFamilies(registry, {
      models: () => this.#scrape(),
      bytes: () => this.#bytes,
      catchUp: () => {
        for (const series of this.#series.values()) series.tell();
      },
    });
  }

  ended(request: EndedRequest): void {
    this.#bytes.in += request.bytesIn;
    this.#bytes.out += request.bytesOut;
    if (request.code !== undefined) this.#families.rejected.inc({ reason: request.code });
    this.#count(request.model === undefined ? '' : request.model, request);
  }

  #count(model: string, request: EndedRequest): void {
    const known = this.#series.get(model);
    if (known !== undefined) {
      known.count(request);
      return;
    }
    this.#forgetWhatLeft();
    const added = new ModelSeries(model, this.#families);
    this.#series.set(model, added);
    added.count(request);
  }

  /** Also where nobody scrapes nothing grows, since a new model makes room as well. */
  #scrape(): Iterable<ModelReading> {
    this.#forgetWhatLeft();
    return this.#sight.models();
  }

  #forgetWhatLeft(): void {
    const now = this.#sight.now();
    if (since(this.#looked, now) < LOOK_EVERY) return;
    this.#looked = now;
    for (const [model, series] of this.#series) {
      if (model === '' || this.#sight.isDeclared(model)) this.#left.delete(model);
      else this.#leave(model, series, now);
    }
  }

  #leave(model: string, series: ModelSeries, now: Instant): void {
    const left = this.#left.get(model);
    if (left === undefined) this.#left.set(model, now);
    else if (since(left, now) >= KEPT_AFTER) {
      series.remove();
      this.#series.delete(model);
      this.#left.delete(model);
    }
  }
}
