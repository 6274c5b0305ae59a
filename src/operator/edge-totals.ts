import type { Demand } from '../domain/activity.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { EdgeRecord, SeenModel } from './edge-record.ts';
import type { KnownEdge } from './edge-registry.ts';

/** What all edges together say, as of one state of them. Thousands of presets are asked about with every plan, and few are in a report. */
export class EdgeTotals {
  /** Of all edges that may still have requests in flight. */
  readonly records: readonly EdgeRecord[];
  /** Of edges that still report. */
  readonly present: readonly EdgeRecord[];
  /** There is an edge, and every report can be read. */
  readonly isUnderstood: boolean;
  readonly #inFlight = new Map<PresetUid, number>();
  readonly #demands = new Map<PresetUid, Demand>();

  constructor(edges: readonly KnownEdge[]) {
    this.records = edges.map(({ record }) => record);
    this.present = edges.filter(({ hasLeft }) => !hasLeft).map(({ record }) => record);
    this.isUnderstood = edges.length > 0 && this.records.every(({ bootId }) => bootId !== undefined);
    for (const { models } of this.records) for (const [uid, { inFlight }] of models) this.#count(uid, inFlight);
    const heard = edges.filter(({ hasLeft, isUnheard }) => !hasLeft && !isUnheard);
    for (const { record } of heard) for (const [uid, model] of record.models) this.#ask(uid, model);
  }

  /** Of a preset that is in no report there are none. */
  inFlight(uid: PresetUid): number {
    const found = this.#inFlight.get(uid);
    return found === undefined ? 0 : found;
  }

  /** `undefined`: nobody waits. */
  demand(uid: PresetUid): Demand | undefined {
    return this.#demands.get(uid);
  }

  #count(uid: PresetUid, inFlight: number): void {
    this.#inFlight.set(uid, this.inFlight(uid) + inFlight);
  }

  #ask(uid: PresetUid, { waiting, waitingSince }: SeenModel): void {
    if (waitingSince === undefined) return;
    const known = this.#demands.get(uid);
    if (known === undefined) this.#demands.set(uid, { waiting, since: waitingSince });
    else
      this.#demands.set(uid, {
        waiting: known.waiting + waiting,
        since: known.since < waitingSince ? known.since : waitingSince,
      });
  }
}
