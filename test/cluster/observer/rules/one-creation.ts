import { eachBirth } from '../births.ts';
import type { Birth } from '../births.ts';
import { HEARD_WITHIN, isDone, OPERATOR } from '../history.ts';
import type { Call, History, ReplicaRange, Violation } from '../history.ts';
import { believable } from '../world.ts';
import type { World } from '../world.ts';

const RULE = 'S4 a model is started once';

/**
 * Of one rendering of a preset no more pods come to be than it may have, but for those that have failed and are about to go, and
 * for one more while another leaves; and no name is given twice at once.
 */
export const startsAreSingle = (history: History): readonly Violation[] => [
  ...eachBirth(history, tooMany),
  ...takenNames(history),
];

function tooMany({ pod, world, at, version }: Birth): readonly Violation[] {
  const alike = [...world.pods.values()]
    .map(({ object }) => object)
    .filter((one) => one.owner === pod.owner && one.preset === pod.preset && one.rendered === pod.rendered)
    .filter(({ isServerOver, isStuck, isDeleting }) => !isServerOver && !isStuck && !isDeleting);
  const most = mostReplicas(pod, world, at);
  const staying = alike.filter(({ isLeaving }) => !isLeaving);
  if (staying.length <= most && alike.length <= most + 1) return [];
  const names = alike.map(({ name }) => name).join(', ');
  return [{ rule: RULE, what: `${names} run side by side, where ${most} of ${pod.preset} may`, version }];
}

/** Of the layers, and of what each may still be believed to say, the largest. */
function mostReplicas({ owner, preset, pool }: Birth['pod'], world: World, at: number): number {
  const moment = { at, within: HEARD_WITHIN };
  const own = believable(world.deployments.values(), world.pastDeployments, moment)
    .filter(({ uid }) => uid === owner)
    .flatMap(({ presets }) => presets.filter(({ name }) => name === preset));
  const pools = believable(world.pools.values(), world.pastPools, moment).filter(({ name }) => name === pool);
  const inherited = pools.length === 0 ? [NOTHING_SAID] : pools.map(({ replicas }) => replicas);
  return Math.max(1, ...own.flatMap(({ replicas }) => inherited.map((range) => mostOf([range, ...replicas]))));
}

const NOTHING_SAID: ReplicaRange = { least: undefined, most: undefined };

/**
 * As the CRDs say it of `maxReplicas`, of layers with the weakest first: of two that say `minReplicas` above `maxReplicas` the stronger one
 * holds, and where nothing is said it is 1, or `minReplicas` if that is more.
 */
function mostOf(layers: readonly ReplicaRange[]): number {
  const least = layers.findLast((layer) => layer.least !== undefined)?.least ?? 0;
  const said = layers.reduce<number | undefined>(
    (below, { least: own = 0, most }) => most ?? (below !== undefined && own > below ? undefined : below),
    undefined,
  );
  return said ?? Math.max(1, least);
}

/** The API server itself refuses a second pod of a name: this would be its fault, or a name that is not the slot's. */
function takenNames(history: History): readonly Violation[] {
  const gone = history.seen.filter((seen) => seen.gone);
  const ended = new Map(gone.map(({ object, version }) => [object.uid, version]));
  const bySlot = Map.groupBy(history.calls.filter(isCreation), ({ namespace, name }) => `${namespace}/${name}`);
  return [...bySlot].flatMap(([slot, calls]) =>
    calls.flatMap((call, index) => {
      const previous = calls[index - 1];
      return previous === undefined || endsBefore(previous, call, ended)
        ? []
        : [{ rule: RULE, what: `${slot} was created a second time while the first one was there`, version: call.version }]; // prettier-ignore
    }),
  );
}

const isCreation = (call: Call): boolean =>
  call.user === OPERATOR && call.verb === 'create' && call.resource === 'pods' && isDone(call);

function endsBefore({ uid = '' }: Call, { version = 0 }: Call, ended: ReadonlyMap<string, number>): boolean {
  const end = ended.get(uid);
  return end !== undefined && end < version;
}
