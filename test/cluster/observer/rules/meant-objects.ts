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
  const { verb, resource, onlyUid, onlyVersion, version } = call;
  if (onlyUid === undefined) return 'it does not say which uid it means';
  if (verb === 'delete' && onlyVersion === undefined) return 'it does not say at which state';
  if (resource !== 'pods' || !isDone(call)) return undefined;
  const state = owners.get(onlyUid)?.findLast((one) => one.version <= (onlyVersion ?? version ?? 0));
  return state?.owner === undefined ? 'no ModelDeployment controls the pod' : undefined;
}

/** By the uids of pods: the ModelDeployments that controlled it, from which version on. */
type Owners = ReadonlyMap<string, readonly { readonly version: number; readonly owner: string | undefined }[]>;

function ownersOf({ seen }: History): Owners {
  const states = seen.flatMap(({ kind, object, version }) =>
    kind === 'pod' ? [{ uid: object.uid, version, owner: object.owner }] : [],
  );
  return Map.groupBy(states, ({ uid }) => uid);
}
