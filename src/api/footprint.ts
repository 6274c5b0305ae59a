import type { Pool } from '../domain/pool.ts';
import type { Resources } from '../domain/resources.ts';
import { type Quantities, readQuantities } from './quantity.ts';

/** What a preset says of the room that each of its replicas takes. */
export interface DeclaredRoom {
  readonly footprint: Quantities | undefined;
  /** Of all layers, merged: what holds where `footprint` is silent. */
  readonly limits: Quantities | undefined;
}

export type FootprintVerdict =
  | { readonly kind: 'footprint'; readonly footprint: Resources }
  | {
      readonly kind: 'fault';
      readonly reason: 'FootprintMissing' | 'UnknownResource';
      /** One sentence without a full stop at its end: what is wrong, and what to do about it. */
      readonly message: string;
    };

/** The names of the resources whose amounts a pool knows; `undefined`: of none, and its presets may take what they like. */
export function countedBy({ bins }: Pick<Pool, 'bins'>): ReadonlySet<string> | undefined {
  const sizes = bins.flatMap(({ size }) => (size === undefined ? [] : [size]));
  return sizes.length === 0 ? undefined : new Set(sizes.flatMap((size) => [...size.keys()]));
}

const list = (names: Iterable<string>): string => [...names].join(' and ');

/**
 * What a replica takes of its pool: of each resource that the pool counts as much as `footprint` says, else `limits`. What the pool
 * does not count is left to the scheduler. One of which nothing is known is refused: unknown is not zero.
 */
export function judgeFootprint(
  { footprint, limits }: DeclaredRoom,
  pool: Pick<Pool, 'name' | 'bins'>,
): FootprintVerdict {
  const all = readQuantities({ ...limits, ...footprint }, 'up');
  const counted = countedBy(pool);
  if (counted === undefined) return { kind: 'footprint', footprint: all };
  const counts = `the ModelPool ${JSON.stringify(pool.name)} counts ${list(counted)}`;
  const unknown = Object.keys(footprint ?? {}).filter((name) => !counted.has(name));
  if (unknown.length > 0) {
    const message = `footprint names ${list(unknown)}, and ${counts} only: name what it counts`;
    return { kind: 'fault', reason: 'UnknownResource', message };
  }
  const own = new Map([...all].filter(([name]) => counted.has(name)));
  if (own.size > 0) return { kind: 'footprint', footprint: own };
  const message = `${counts}, and nothing says how much of it a replica takes: set footprint or resources.limits`;
  return { kind: 'fault', reason: 'FootprintMissing', message };
}
