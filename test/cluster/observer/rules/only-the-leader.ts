import { isDone, OPERATOR } from '../history.ts';
import type { Call, History, Violation } from '../history.ts';

const RULE = 'S5 only who holds the Lease writes';

/** A write may still arrive so long after the renewal that allowed it: 4 s in which it may begin, and 2 s for itself. */
const STANDS_FOR = 6000;

/** All by the API server's own clock: the Leases and the writes are in one log. */
export function onlyTheLeaderWrites({ calls }: History): readonly Violation[] {
  const ours = calls.filter(({ user }) => user === OPERATOR);
  const claims = ours.filter((call) => call.resource === 'leases' && isDone(call));
  const leases = [...Map.groupBy(claims, ({ namespace, name }) => `${namespace}/${name}`).values()];
  return ours
    .filter(({ resource }) => resource !== 'leases')
    .flatMap((call) => {
      const why = whyNot(call, leases);
      const { verb, resource, namespace, name, version } = call;
      return why === undefined
        ? []
        : [{ rule: RULE, what: `${call.pod ?? 'nobody knows who'}: ${verb} ${resource} ${namespace}/${name}: ${why}`, version }]; // prettier-ignore
    });
}

/** `undefined`: it may write. `leases`: what was claimed of each, in its order; each has a holder of its own. */
function whyNot({ pod, received }: Call, leases: readonly (readonly Call[])[]): string | undefined {
  const last = leases.flatMap((claims) => claims.findLast((claim) => claim.received <= received) ?? []);
  const own = last.find(({ holder }) => podOf(holder) === pod);
  if (pod === undefined || own === undefined) return `who holds the Lease is '${last.map(({ holder }) => holder).join()}'`; // prettier-ignore
  const age = received - own.received;
  return age <= STANDS_FOR ? undefined : `its Lease was renewed ${age} ms before`;
}

/** The name of the pod in `<pod>_<a number of the process>`. */
const podOf = (holder: string | undefined): string | undefined => holder?.replace(/_[^_]*$/u, '');
