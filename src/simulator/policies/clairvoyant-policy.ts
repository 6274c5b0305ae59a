import { presetUid, type PresetUid } from '../../domain/ids.ts';
import type { Instant } from '../../domain/units.ts';
import type { SimulatedModel, Trace } from '../scenario.ts';
import { byText, inOrder } from './in-order.ts';
import { grantOnDemand } from './on-demand.ts';
import type { Policy, Wish } from './policy.ts';

/**
 * Knows the trace: the idle ones leave whose next request comes last (Belady, "A study of replacement algorithms for a
 * virtual-storage computer", 1966), and nothing leaves without need. It loads only what is asked for, one replica of each model,
 * and keeps the rules of holding (nothing in flight is cut, capacity is free at the exit) and Corral's order of starts. A
 * yardstick, and not a bound: with models of several sizes nobody knows the best that can be done.
 */
export function clairvoyantPolicy(trace: Trace, models: readonly SimulatedModel[]): Policy {
  const future = new Future(trace, models.length);
  const places = new Map(models.map(({ name }, index) => [presetUid(name), index]));
  return {
    decide(world, now) {
      const nextUse = (uid: PresetUid): number => future.nextUse(places.get(uid), now);
      grantOnDemand(world, {
        wishes: byTurn,
        victims: (a, b) => inOrder(later(nextUse(a.preset), nextUse(b.preset)), byText(a.preset, b.preset)),
      });
      return { wakeAt: undefined, unsettled: world.wishes().length > 0 };
    },
  };
}

/** Infinity less Infinity is no number. */
const later = (a: number, b: number): number => (a === b ? 0 : b - a);

const byTurn = (a: Wish, b: Wish): number =>
  inOrder(b.preset.priority - a.preset.priority, a.since - b.since, byText(a.preset.model, b.preset.model));

/** When each model is asked for, as one column sorted by model and then by time. */
class Future {
  readonly #times: Float64Array;
  /** Where each model's next request is in `times`, and where its last one ends. */
  readonly #next: Uint32Array;
  readonly #end: Uint32Array;

  constructor({ at, model }: Trace, models: number) {
    this.#times = new Float64Array(at.length);
    this.#end = new Uint32Array(models);
    for (const index of model) add(this.#end, index, 1);
    for (let index = 1; index < models; index += 1) add(this.#end, index, valueAt(this.#end, index - 1));
    this.#next = this.#end.slice();
    for (let row = at.length - 1; row >= 0; row -= 1) {
      const index = valueAt(model, row);
      add(this.#next, index, -1);
      this.#times[valueAt(this.#next, index)] = valueAt(at, row);
    }
  }

  /** When a model is asked for next after `now`, which never falls from call to call; Infinity: never again. */
  nextUse(model: number | undefined, now: Instant): number {
    if (model === undefined) return Infinity;
    const end = valueAt(this.#end, model);
    while (valueAt(this.#next, model) < end && valueAt(this.#times, valueAt(this.#next, model)) <= now) {
      add(this.#next, model, 1);
    }
    return valueAt(this.#next, model) < end ? valueAt(this.#times, valueAt(this.#next, model)) : Infinity;
  }
}

function valueAt(column: Float64Array | Uint32Array, index: number): number {
  const value = column[index];
  if (value === undefined) throw new RangeError(`a column of ${column.length} rows has no row ${index}`);
  return value;
}

function add(column: Uint32Array, index: number, amount: number): void {
  column[index] = valueAt(column, index) + amount;
}
