import { couldHold, type Pool } from '../domain/pool.ts';
import { amountOf, NO_RESOURCES, plus, type Resources } from '../domain/resources.ts';
import type { PresetDraft } from './preset-draft.ts';
import type { Problem } from './problem.ts';

/** A preset with what each of its replicas takes. */
export interface SizedDraft {
  readonly draft: PresetDraft;
  readonly footprint: Resources;
}

interface Held {
  readonly replicas: number;
  readonly resources: Resources;
}

const FIX = 'Raise the limit of the pool, or let fewer models have minReplicas or load on startup.';

/** Replicas that are to be there without a request. */
const lastingOf = ({ scaling: { minReplicas, loadOnStartup } }: PresetDraft): number =>
  loadOnStartup ? Math.max(1, minReplicas) : minReplicas;

const times = (resources: Resources, count: number): Resources =>
  new Map([...resources].map(([name, amount]) => [name, amount * count]));

/** All bins together; `undefined`: nobody knows. */
function sizeOf({ bins }: Pool): Resources | undefined {
  const sizes = bins.map(({ size }) => size).filter((size) => size !== undefined);
  return sizes.length < bins.length ? undefined : sizes.reduce(plus, NO_RESOURCES);
}

/** Larger than every bin: it never starts, and says so when it is asked for. */
const isTooLarge = (footprint: Resources, { bins }: Pool): boolean => !bins.some((bin) => couldHold(bin, footprint));

/** What is exceeded, as a clause; `undefined`: nothing. */
function findExcess({ replicas, resources }: Held, pool: Pool): string | undefined {
  const { name, maxLoaded } = pool;
  if (maxLoaded > 0 && replicas > maxLoaded) return `pool ${name} holds ${maxLoaded} at once`;
  const size = sizeOf(pool);
  const short = [...resources.keys()].find(
    (key) => size !== undefined && amountOf(size, key) < amountOf(resources, key),
  );
  return short === undefined ? undefined : `pool ${name} has not enough ${short}`;
}

function findIn(pool: Pool, presets: readonly SizedDraft[]): Problem[] {
  let held: Held = { replicas: 0, resources: NO_RESOURCES };
  return presets.flatMap(({ draft, footprint }) => {
    const count = lastingOf(draft);
    if (count === 0 || isTooLarge(footprint, pool)) return [];
    const resources = plus(held.resources, times(footprint, count));
    const next = { replicas: held.replicas + count, resources };
    const excess = findExcess(next, pool);
    if (excess !== undefined) {
      const more = count === 1 ? 'this is one more that is' : `these are ${count} more replicas that are`;
      return [{ ...draft.model.site, reason: `${excess}, and ${more} to be loaded without a request`, fix: FIX }];
    }
    held = next;
    return [];
  });
}

/** Presets that a pool must hold all the time, or at the start, beyond what it may hold: they would wait for ever. */
export const findOvercommitted = (presets: readonly SizedDraft[], pools: readonly Pool[]): Problem[] =>
  pools.flatMap((pool) =>
    findIn(
      pool,
      presets.filter(({ draft }) => draft.pool === pool.name),
    ),
  );
