import { isDone, OPERATOR } from '../history.ts';
import type { Call, History, Violation } from '../history.ts';

const RULE = 'S6 only the object that is meant is written';

/** Of these the writes are recorded whole. */
const RECORDED = ['pods', 'modeldeployments/status', 'modelpools/status'];

/** Each patch and each deletion names the uid that it means, a deletion the state too; no pod of others is touched. */
export function onlyMeantObjects(history: History): readonly Violation[] {
  const writes = history.calls.filter(
    ({ user, verb, resource }) => user === OPERATOR && verb !== 'create' && RECORDED.includes(resource),
  );
  const owners = ownersOf(history);
  return writes.flatMap((call) => {
    const why = whyNot(call, owners);
    const { verb, resource, namespace, name, version } = call;
    return why === undefined ? [] : [{ rule: RULE, what: `${verb} ${resource} ${namespace}/${name}: ${why}`, version }];
  });
}

function whyNot(call: Call, owners: Owners): string | undefined {
  const { verb, resource, onlyUid, onlyVersion, uid = onlyUid } = call;
  if (onlyUid === undefined) return 'it does not say which uid it means';
  if (verb === 'delete' && onlyVersion === undefined) return 'it does not say at which state';
  if (!isDone(call)) return undefined;
  if (uid !== onlyUid) return `it means ${onlyUid} and has met ${String(uid)}`;
  return resource === 'pods' ? whyNotPod(call, owners.get(uid)) : undefined;
}

function whyNotPod(call: Call, states: readonly Owned[] | undefined): string | undefined {
  const { onlyVersion, version } = call;
  const state = states?.findLast((one) => one.version <= (onlyVersion ?? version ?? 0));
  if (states === undefined || state === undefined) return 'nobody has seen the pod';
  return state.owner === undefined && !putsOwnerBack(call, states) ? 'no ModelDeployment controls the pod' : undefined;
}

interface Owned {
  readonly version: number;
  /** The uid of the ModelDeployment that controls it. */
  readonly owner: string | undefined;
}

/** By the uids of pods: all their states, oldest first. */
type Owners = ReadonlyMap<string, readonly Owned[]>;

/** Somebody has taken the owner away, and the write gives it back: the one that it had last. */
function putsOwnerBack({ verb, version }: Call, states: readonly Owned[]): boolean {
  const after = states.find((state) => state.version === version);
  const last = states.findLast((state) => state.owner !== undefined && state.version < Number(version));
  return verb === 'patch' && after?.owner !== undefined && after.owner === last?.owner;
}

function ownersOf({ seen }: History): Owners {
  const states = seen.flatMap(({ kind, object, version }) =>
    kind === 'pod' ? [{ uid: object.uid, version, owner: object.owner }] : [],
  );
  return Map.groupBy(states, ({ uid }) => uid);
}
