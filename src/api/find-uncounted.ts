import type { PoolName } from '../domain/ids.ts';
import type { DecodedManifests, Sited } from './decode-manifests.ts';
import { countedBy } from './footprint.ts';
import type { WithoutEffect } from './problem.ts';
import type { Quantities } from './quantity.ts';

/** Amounts in the declaration of one pool, or of what is in it. */
interface Amounts {
  readonly pool: PoolName;
  readonly amounts: Sited<Quantities> | undefined;
  /** A name that the pool does not count is a fault. */
  readonly mustCount?: boolean;
}

const listAmounts = ({ deployments, pools }: DecodedManifests): Amounts[] => [
  ...pools.map(({ pool, defaults }) => ({ pool: pool.name, amounts: defaults.limits })),
  ...deployments.flatMap(({ pool, defaults, presets }) => [
    { pool, amounts: defaults.limits },
    ...presets.flatMap(({ layer, footprint }) => [
      { pool, amounts: layer.limits },
      { pool, amounts: footprint, mustCount: true },
    ]),
  ]),
];

/** Amounts that change nothing on one machine, where no scheduler reads them: those of which their pool counts none. */
export function findUncounted(manifests: DecodedManifests): WithoutEffect[] {
  const counted = new Map(manifests.pools.map(({ pool }) => [pool.name, countedBy(pool)]));
  return listAmounts(manifests).flatMap(({ pool, amounts, mustCount = false }) => {
    const names = counted.get(pool);
    if (amounts === undefined || (mustCount && names !== undefined)) return [];
    if (Object.keys(amounts.value).some((name) => names?.has(name) === true)) return [];
    const { file, field = '' } = amounts.site;
    const reason = `it matters in a cluster, and where capacity.resources of its pool ${pool} counts the same names`;
    return [{ file, field, reason }];
  });
}
