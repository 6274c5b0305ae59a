import type { BinName, PresetUid } from '../../domain/ids.ts';
import type { Bin, Pool } from '../../domain/pool.ts';
import type { Preset } from '../../domain/preset.ts';
import { isLive, type Replica } from '../../domain/replica.ts';
import { amountOf, type Resources } from '../../domain/resources.ts';
import type { Instant } from '../../domain/units.ts';
import type { SimulatedModel } from '../scenario.ts';
import { BinSpace } from './bin-space.ts';
import { evict, idleReplicas } from './evict.ts';
import { byText, inOrder } from './in-order.ts';
import type { Decision, Policy, World } from './policy.ts';

/** A model somebody waits for. All who wait for it share one place in the queue. */
interface Place {
  readonly preset: Preset;
  loading: boolean;
}

/**
 * llama-server's router as of llama.cpp v0.5.0 (tools/server/server-models.cpp, `server_lru_sched`): it counts models and knows no
 * sizes; a queue in which only the first place loads, one at a time; for each place that has no slot coming, the idle model
 * leaves whose last request *began* longest ago. One in use is left to end (until August 2026 it was cut); one that is ready
 * serves all that asks for it, even while others wait. Nothing is unloaded for being idle.
 *
 * Its `--models-max` is what always fits, whichever models come together: a larger one would run out of memory.
 */
export class LlamaRouterPolicy implements Policy {
  readonly #slots: ReadonlyMap<BinName, number>;
  readonly #modelsMax: number;
  readonly #loadedAt = new Map<PresetUid, Instant>();
  #queue: readonly Place[] = [];

  constructor(pool: Pool, models: readonly SimulatedModel[]) {
    const footprints = models.map(({ footprint }) => footprint).filter((need) => fitsAlone(pool, need));
    this.#slots = new Map(pool.bins.map((bin) => [bin.name, alwaysFit(bin, footprints)]));
    const slots = [...this.#slots.values()].reduce((sum, some) => sum + some, 0);
    this.#modelsMax = pool.maxLoaded === 0 ? slots : Math.min(pool.maxLoaded, slots);
  }

  decide(world: World, now: Instant): Decision {
    this.#joinAndLeave(world);
    this.#makeRoom(world);
    this.#loadFirst(world, now);
    return { wakeAt: undefined, unsettled: this.#queue.length > 0 };
  }

  /** Who is served or has given up leaves; who finds no instance, or one that is stopping, joins at the end. */
  #joinAndLeave(world: World): void {
    const wishes = world.wishes();
    const wished = new Set(wishes.map(({ preset }) => preset.uid));
    const stay = this.#queue.filter(({ preset }) => wished.has(preset.uid));
    const here = new Set(stay.map(({ preset }) => preset.uid));
    const live = new Set(
      world
        .observe()
        .filter(isLive)
        .map(({ preset }) => preset),
    );
    const join = wishes.filter(({ preset: { uid, footprint } }) => {
      return !here.has(uid) && !live.has(uid) && fitsAlone(world.pool, footprint);
    });
    this.#queue = [...stay, ...join.map(({ preset }) => ({ preset, loading: false }))];
  }

  /** `tick()`: idle models leave while places without a slot outnumber the slots that are free or being freed. */
  #makeRoom(world: World): void {
    const needed = this.#queue.filter(({ loading }) => !loading).length;
    const running = world.observe().filter(isLive).length;
    const lacking = needed - (this.#modelsMax - running);
    if (lacking <= 0) return;
    // Nobody waits for these: who waits for a ready model is served at once.
    const victims = idleReplicas(world).toSorted((a, b) =>
      inOrder(this.#lastUsed(a, world) - this.#lastUsed(b, world), byText(a.preset, b.preset)),
    );
    for (const victim of victims.slice(0, lacking)) evict(world, victim, { kind: 'capacity' });
  }

  /** `try_claim()`: only the first in the queue, when a slot is free. */
  #loadFirst(world: World, now: Instant): void {
    const first = this.#queue[0];
    const observed = world.observe();
    if (first === undefined || observed.length >= this.#modelsMax) return;
    if (observed.some(({ preset }) => preset === first.preset.uid)) return;
    const bin = this.#freeBin(observed);
    if (bin === undefined) return;
    first.loading = true;
    this.#loadedAt.set(first.preset.uid, now);
    world.apply({ kind: 'start', preset: first.preset, bin });
  }

  #freeBin(observed: readonly Replica[]): BinName | undefined {
    const held = Map.groupBy(observed, ({ bin }) => bin);
    for (const [bin, slots] of this.#slots) {
      const there = held.get(bin);
      if ((there === undefined ? 0 : there.length) < slots) return bin;
    }
    return undefined;
  }

  /** `last_used`: the start of its load or of its last request. */
  #lastUsed({ preset }: Replica, world: World): number {
    const loadedAt = this.#loadedAt.get(preset);
    const begun = world.lastBegun(preset);
    return Math.max(loadedAt === undefined ? 0 : loadedAt, begun === undefined ? 0 : begun);
  }
}

const fitsAlone = (pool: Pool, need: Resources): boolean => new BinSpace(pool, []).fit(need) !== undefined;

/** How many of some models a bin holds at once, whichever they are: so many of the largest, in each resource. */
function alwaysFit({ size }: Bin, footprints: readonly Resources[]): number {
  if (size === undefined) return Infinity;
  let most = footprints.length;
  for (const name of new Set(footprints.flatMap((need) => [...need.keys()]))) {
    const amounts = footprints.map((need) => amountOf(need, name)).sort((a, b) => b - a);
    let sum = 0;
    const fit = amounts.findIndex((amount) => (sum += amount) > amountOf(size, name));
    if (fit >= 0) most = Math.min(most, fit);
  }
  return most;
}
