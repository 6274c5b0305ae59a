import { type ModelName, modelName, type PresetUid } from '../../domain/ids.ts';
import type { Catalog } from '../../domain/preset.ts';
import type { NamespaceLabels } from './allows-namespace.ts';
import { admitToPool } from './admit-to-pool.ts';
import { namesOf } from './declared-preset.ts';
import type { ClusterDeployment, ClusterPool } from './decode-objects.ts';
import { byAge, grantAgain, type Grants, isSameClaim, type NameClaim, type NameHolders } from './grant-names.ts';
import type { JudgeDeployment } from './judge-deployment.ts';
import { memoize } from '../../domain/memoize.ts';
import { isInScope, livingPools } from './scope.ts';
import { formatObject, type LostName, type PresetVerdict, type Rendering } from './verdict.ts';

export interface AcceptInput<Template extends Rendering> {
  readonly deployments: readonly ClusterDeployment[];
  readonly pools: readonly ClusterPool[];
  /** Labels of all namespaces. */
  readonly namespaces: ReadonlyMap<string, NamespaceLabels>;
  /** `grants` of the acceptance before this one. */
  readonly before: Grants;
  readonly judge: JudgeDeployment<Template>;
}

/** What becomes of one ModelDeployment. */
export interface DeploymentVerdict<Template> {
  readonly deployment: ClusterDeployment;
  /** In the order of its spec; none if that cannot be read. */
  readonly presets: readonly PresetVerdict<Template>[];
}

/** What becomes of everything that is declared in a cluster. What is not Corral's to run is left out. */
export interface Acceptance<Template> {
  /** The oldest first. */
  readonly verdicts: readonly DeploymentVerdict<Template>[];
  /** Also those that cannot be read. */
  readonly pools: readonly ClusterPool[];
  readonly grants: Grants;
}

/** A status that was copied into another object grants nothing there. */
const namesInStatus = ({ ref, status }: ClusterDeployment): ModelName[] =>
  (status?.presets ?? [])
    .filter(({ uid }) => uid === ref.uid)
    .flatMap(({ names = [] }) => names)
    .map(modelName);

const declaredNames = memoize((decoded: ClusterDeployment['decoded']): readonly ModelName[] =>
  decoded.kind === 'valid' ? decoded.spec.presets.flatMap(namesOf) : [],
);

const claimOf = memoize((deployment: ClusterDeployment): NameClaim => ({
  uid: deployment.ref.uid,
  object: formatObject(deployment.ref),
  createdAt: deployment.createdAt,
  declares: declaredNames(deployment.decoded),
  holds: namesInStatus(deployment),
  isSettled: deployment.status?.observedGeneration === deployment.generation,
}));

/** The names that a ModelDeployment declares and others have. Every declared name is somebody's. */
function lostBy({ uid, declares }: NameClaim, holders: NameHolders, objects: ReadonlyMap<string, string>): LostName[] {
  return declares.flatMap((name) => {
    const holder = holders.get(name);
    if (holder === uid) return [];
    const object = holder === undefined ? undefined : objects.get(holder);
    if (object === undefined) throw new Error(`the name ${name} is declared, and nobody has it`);
    return [{ name, holder: object }];
  });
}

interface Claimant {
  readonly deployment: ClusterDeployment;
  readonly claim: NameClaim;
}

/** What is Corral's to run, the oldest first. */
const claimantsIn = (
  deployments: readonly ClusterDeployment[],
  living: ReadonlyMap<string, ClusterPool>,
): readonly Claimant[] =>
  deployments
    .filter((deployment) => isInScope(deployment, living))
    .map((deployment) => ({ deployment, claim: claimOf(deployment) }))
    .sort((a, b) => byAge(a.claim, b.claim));

/** Whether two states of a ModelDeployment claim the same names, and were granted the same. */
export const saySameOfNames = (a: ClusterDeployment, b: ClusterDeployment): boolean =>
  isSameClaim(claimOf(a), claimOf(b));

/**
 * Decides about everything that is declared: which preset gets which names, and which is run. Names do not depend on the rest,
 * so that a preset that is refused keeps its names, and clients are told why instead of that it does not exist. A step is a
 * ModelDeployment: to judge a thousand of them at once would keep everything else waiting.
 */
export function* acceptInSteps<Template extends Rendering>(
  input: AcceptInput<Template>,
): Generator<undefined, Acceptance<Template>> {
  const living = livingPools(input.pools);
  const ours = claimantsIn(input.deployments, living);
  const grants = grantAgain(
    ours.map(({ claim }) => claim),
    input.before,
  );
  const objects = new Map(ours.map(({ claim: { uid, object } }) => [uid, object]));
  const verdicts: DeploymentVerdict<Template>[] = [];
  for (const { deployment, claim } of ours) {
    const labels = input.namespaces.get(deployment.ref.namespace);
    const admission = admitToPool(deployment, living.get(deployment.pool), labels);
    const presets = input.judge({ deployment, admission, lost: lostBy(claim, grants.holders, objects) });
    verdicts.push({ deployment, presets });
    yield;
  }
  return { verdicts, pools: [...living.values()].filter(({ isOurs }) => isOurs), grants };
}

/** The same at once. */
export function acceptAll<Template extends Rendering>(input: AcceptInput<Template>): Acceptance<Template> {
  const steps = acceptInSteps(input);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** What is run of it. */
export function catalogOf({ verdicts, pools }: Acceptance<unknown>): Catalog {
  return {
    pools: pools.flatMap(({ decoded }) => (decoded.kind === 'valid' ? [decoded.spec.pool] : [])),
    presets: verdicts.flatMap(({ presets }) =>
      presets.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.preset] : [])),
    ),
  };
}

/** What the pods of each accepted preset are made from. */
export const templatesOf = <Template>({ verdicts }: Acceptance<Template>): ReadonlyMap<PresetUid, Template> =>
  new Map(
    verdicts.flatMap(({ presets }) =>
      presets.flatMap(({ uid, outcome }): [PresetUid, Template][] =>
        outcome.kind === 'accepted' ? [[uid, outcome.template]] : [],
      ),
    ),
  );
