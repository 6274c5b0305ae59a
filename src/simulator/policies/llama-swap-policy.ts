import type { Preset } from '../../domain/preset.ts';
import type { Replica } from '../../domain/replica.ts';
import { BinSpace } from './bin-space.ts';
import { evict } from './evict.ts';
import { inOrder } from './in-order.ts';
import type { Decision, Policy, Wish, World } from './policy.ts';

/**
 * llama-swap without groups (internal/router/scheduler/fifo.go at 0bdb372): one model at a time, which serves all that asks for it
 * even while others wait; when it has nothing in flight, it is swapped for the first in the queue, by priority and then by age. A
 * swap that has begun is finished, although nobody waits for it any more. Nothing is unloaded for being idle (`ttl` 0). Its
 * refusals (429 above 10 requests of one model) are left out, in its favour.
 */
export class LlamaSwapPolicy implements Policy {
  #target: Preset | undefined;

  decide(world: World): Decision {
    if (this.#target === undefined) this.#beginSwap(world);
    this.#goOn(world);
    return { wakeAt: undefined, unsettled: world.wishes().length > 0 };
  }

  #beginSwap(world: World): void {
    const resident = world.observe()[0];
    if (resident !== undefined && isBusy(world, resident)) return;
    const next = world
      .wishes()
      .toSorted(byTurn)
      .find((wish) => fits(world, wish));
    if (next === undefined) return;
    this.#target = next.preset;
    if (resident !== undefined) evict(world, resident, { kind: 'evicted', beneficiary: next.preset.uid });
  }

  /** Starts the target when the other is gone; the swap is over when it is ready. */
  #goOn(world: World): void {
    const target = this.#target;
    if (target === undefined) return;
    const resident = world.observe()[0];
    if (resident?.preset === target.uid && resident.state.kind === 'ready') {
      this.#target = undefined;
    } else if (resident === undefined) {
      const bin = new BinSpace(world.pool, []).fit(target.footprint);
      if (bin !== undefined) world.apply({ kind: 'start', preset: target, bin });
    }
  }
}

const isBusy = ({ ledger }: World, { id }: Replica): boolean => ledger.inFlight(id) > 0;
/** One that fits nowhere fails to load, and holds nobody up. */
const fits = ({ pool }: World, { preset }: Wish): boolean => new BinSpace(pool, []).fit(preset.footprint) !== undefined;
const byTurn = (a: Wish, b: Wish): number => inOrder(b.preset.priority - a.preset.priority, a.since - b.since);
