import { type ModelName, modelName, type PresetUid } from '../../domain/ids.ts';
import type { Catalog } from '../../domain/preset.ts';
import type { NamespaceLabels } from './allows-namespace.ts';
import { admitToPool } from './admit-to-pool.ts';
import { type DeclaredPreset, listDeclared } from './declared-preset.ts';
import type { ClusterDeployment, ClusterPool } from './decode-objects.ts';
import { byAge, grantNames, type NameClaim, type NameHolders } from './grant-names.ts';
import { judgePreset } from './judge-preset.ts';
import { clusterPresetUid, type PodSettings } from './pod-settings.ts';
import { isInScope, livingPools } from './scope.ts';
import { formatObject, type LostName, type PresetVerdict, type Rendered, type Rendering } from './verdict.ts';

export interface AcceptInput<Template extends Rendering> {
  readonly deployments: readonly ClusterDeployment[];
  readonly pools: readonly ClusterPool[];
  /** Labels of all namespaces. */
  readonly namespaces: ReadonlyMap<string, NamespaceLabels>;
  /** `names` of the acceptance before this one. */
  readonly before: NameHolders;
  readonly render: (settings: PodSettings) => Rendered<Template>;
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
  readonly names: NameHolders;
}

/** All claims to names and what has become of them. */
interface Names {
  readonly claims: readonly NameClaim[];
  readonly holders: NameHolders;
}

/** A status that was copied into another object grants nothing there. */
const namesInStatus = ({ ref, status }: ClusterDeployment): ModelName[] =>
  (status?.presets ?? [])
    .filter(({ uid }) => uid === ref.uid)
    .flatMap(({ names = [] }) => names)
    .map(modelName);

const claimOf = (deployment: ClusterDeployment): NameClaim => ({
  uid: deployment.ref.uid,
  object: formatObject(deployment.ref),
  createdAt: deployment.createdAt,
  declares: listDeclared(deployment, undefined).flatMap(({ names }) => names),
  holds: namesInStatus(deployment),
  isSettled: deployment.status?.observedGeneration === deployment.generation,
});

/** Whose a name is that was not granted: every declared name is somebody's. */
function findHolder(name: ModelName, { claims, holders }: Names): string {
  const uid = holders.get(name);
  const holder = claims.find((claim) => claim.uid === uid);
  if (holder === undefined) throw new Error(`the name ${name} is declared, and nobody has it`);
  return holder.object;
}

function splitNames(
  { deployment, names }: DeclaredPreset,
  all: Names,
): { readonly granted: readonly ModelName[]; readonly lost: readonly LostName[] } {
  const isGranted = (name: ModelName): boolean => all.holders.get(name) === deployment.ref.uid;
  return {
    granted: names.filter(isGranted),
    lost: names.filter((name) => !isGranted(name)).map((name) => ({ name, holder: findHolder(name, all) })),
  };
}

/**
 * Decides about everything that is declared: which preset gets which names, and which is run. Names do not depend on the rest,
 * so that a preset that is refused keeps its names, and clients are told why instead of that it does not exist.
 */
export function acceptAll<Template extends Rendering>(input: AcceptInput<Template>): Acceptance<Template> {
  const living = livingPools(input.pools);
  const ours = input.deployments.filter((deployment) => isInScope(deployment, living));
  const claims = ours.map(claimOf);
  const names = { claims, holders: grantNames(claims, input.before) };

  const judge = (deployment: ClusterDeployment): DeploymentVerdict<Template> => {
    const labels = input.namespaces.get(deployment.ref.namespace);
    const admission = admitToPool(deployment, living.get(deployment.pool), labels);
    const defaults = admission.kind === 'admitted' ? admission.pool.defaults : undefined;
    const presets = listDeclared(deployment, defaults).map((declared) => {
      const split = splitNames(declared, names);
      const uid = clusterPresetUid(deployment.ref.uid, declared.preset.name);
      const outcome = judgePreset({ declared, admission, ...split }, input.render);
      return { uid, name: declared.preset.name, ...split, outcome };
    });
    return { deployment, presets };
  };
  return {
    verdicts: ours.toSorted((a, b) => byAge(claimOf(a), claimOf(b))).map(judge),
    pools: [...living.values()].filter(({ isOurs }) => isOurs),
    names: names.holders,
  };
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
