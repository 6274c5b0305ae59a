import type { PresetUid } from '../../../../src/domain/ids.ts';
import type { Pool } from '../../../../src/domain/pool.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import { amountOf } from '../../../../src/domain/resources.ts';
import { since, type Instant } from '../../../../src/domain/units.ts';
import { LONGEST } from './longest.ts';
import type { WatchedWorld } from './watched-world.ts';

/**
 * How long somebody waits at most for a preset W of the highest priority of its pool, while nobody changes what is declared,
 * every load ends well, reports come, and no `minReplicas` keeps room for others.
 *
 * 1. After `fairAfter` W is over-age, and so is every wish before it. A wish that comes later is younger, and is granted only
 *    what W cannot use. So before W at most one wish of each of the `others` presets of the pool is granted: once it is
 *    served its age begins anew.
 * 2. The first of them all that does not fit waits until what is in its bin may leave. Nothing else comes into that room any
 *    more, because what is free is kept for an over-age wish. What was starting is ready after `load`, and may leave for fairness
 *    when it has been ready for `max(minResidency, load)`.
 * 3. Then the whole set drains: no request comes, and the last one ends within `request`. It is stopped within `stop`. The
 *    reservation keeps the room, the wish starts and is ready within `load`.
 *
 * So each wish takes at most load + max(minResidency, load) + request + stop + load, and W is the last of `others` + 1.
 */
function boundOf({ fairAfter, minResidency }: Pool, others: number): number {
  const { load, request, stop } = LONGEST;
  return fairAfter + (others + 1) * (load + Math.max(minResidency, load) + request + stop + load);
}

/** Watches that everybody who must be served is served in time. */
export class Progress {
  readonly #world: WatchedWorld;
  /** Since when each preset has had a claim to be served. */
  readonly #claims = new Map<PresetUid, Instant>();
  /** The longest that a claim has stood, as a part of what it may. */
  worst = 0;

  constructor(world: WatchedWorld) {
    this.#world = world;
  }

  /** Something has happened after which nobody's claim can be measured from before. */
  restart(): void {
    this.#claims.clear();
  }

  /** One sentence for each preset that has waited for too long. */
  check(): string[] {
    const { declarations, clock } = this.#world;
    const now = clock.now();
    return declarations.catalog.presets.flatMap((preset) => {
      const pool = declarations.findPool(preset.pool);
      if (pool === undefined || !this.#hasClaim(preset, pool)) {
        this.#claims.delete(preset.uid);
        return [];
      }
      return this.#judge(preset, pool, now);
    });
  }

  #judge({ uid }: Preset, pool: Pool, now: Instant): string[] {
    const begun = this.#claims.get(uid);
    if (begun === undefined) {
      this.#claims.set(uid, now);
      return [];
    }
    const others = this.#presetsOf(pool).length - 1;
    const waited = since(begun, now);
    const bound = boundOf(pool, others);
    this.worst = Math.max(this.worst, waited / bound);
    return waited <= bound ? [] : [`${uid} has waited for ${waited} ms, of ${bound} ms at most`];
  }

  #hasClaim(preset: Preset, pool: Pool): boolean {
    const { traffic, source, declarations } = this.#world;
    if (traffic.heldFor(preset.uid) === 0 || source.hearing !== 'live') return false;
    if (pool.fairAfter === 0 || declarations.mayRefuse(pool.name)) return false;
    return this.#canFit(preset, pool) && this.#isFirst(preset, pool);
  }

  #canFit({ footprint }: Preset, { bins }: Pool): boolean {
    return bins.some(
      ({ size }) => size === undefined || [...footprint].every(([name, need]) => need <= amountOf(size, name)),
    );
  }

  /** Of the highest priority of all that wait or are there, beside others that all may leave. */
  #isFirst(preset: Preset, pool: Pool): boolean {
    return this.#presetsOf(pool)
      .filter(({ uid }) => uid !== preset.uid)
      .every((one) => one.scaling.minReplicas === 0 && (one.priority <= preset.priority || this.#isAbsent(one)));
  }

  #isAbsent({ uid }: Preset): boolean {
    const { traffic, backend, wants } = this.#world;
    return traffic.heldFor(uid) === 0 && !wants.isOrdered(uid) && !backend.observe().some((one) => one.preset === uid);
  }

  #presetsOf(pool: Pool): readonly Preset[] {
    return this.#world.declarations.catalog.presets.filter((one) => one.pool === pool.name);
  }
}
