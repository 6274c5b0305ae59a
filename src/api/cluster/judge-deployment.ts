import { isDeepStrictEqual } from 'node:util';
import type { PoolAdmission } from './admit-to-pool.ts';
import { type DeclaredPreset, listDeclared, namesOf } from './declared-preset.ts';
import type { ClusterDeployment } from './decode-objects.ts';
import { judgePreset } from './judge-preset.ts';
import { clusterPresetUid, type PodSettings } from './pod-settings.ts';
import type { LostName, PresetVerdict, Rendered, Rendering } from './verdict.ts';

/** What the verdicts about a ModelDeployment depend on. */
export interface DeploymentCase {
  readonly deployment: ClusterDeployment;
  readonly admission: PoolAdmission;
  /** Of the names that it declares, those that belong to others. */
  readonly lost: readonly LostName[];
}

/** Says what becomes of each preset, in the order of the spec; of none if that cannot be read. */
export type JudgeDeployment<Template> = (about: DeploymentCase) => readonly PresetVerdict<Template>[];

/**
 * Judges ModelDeployments. What one says is looked at again only when its spec, its pool or its names have changed: to render
 * a preset and hash it takes a thousand times longer than to see that nothing is new.
 */
export function createJudge<Template extends Rendering>(
  render: (settings: PodSettings) => Rendered<Template>,
): JudgeDeployment<Template> {
  const known = new WeakMap<
    ClusterDeployment['decoded'],
    { readonly about: DeploymentCase; readonly verdicts: readonly PresetVerdict<Template>[] }
  >();
  return (about) => {
    const last = known.get(about.deployment.decoded);
    if (last !== undefined && isSame(last.about, about)) return last.verdicts;
    const verdicts = judge(about, render);
    known.set(about.deployment.decoded, { about, verdicts });
    return verdicts;
  };
}

function judge<Template extends Rendering>(
  { deployment, admission, lost }: DeploymentCase,
  render: (settings: PodSettings) => Rendered<Template>,
): readonly PresetVerdict<Template>[] {
  const defaults = admission.kind === 'admitted' ? admission.pool.defaults : undefined;
  return listDeclared(deployment, defaults).map((declared) => {
    const names = splitNames(declared, lost);
    const uid = clusterPresetUid(deployment.ref.uid, declared.preset.name);
    const outcome = judgePreset({ declared, admission, ...names }, render);
    return { uid, name: declared.preset.name, ...names, outcome };
  });
}

function splitNames(
  { preset }: DeclaredPreset,
  lost: readonly LostName[],
): Pick<PresetVerdict<unknown>, 'granted' | 'lost'> {
  const own = namesOf(preset);
  const gone = lost.filter(({ name }) => own.includes(name));
  return { granted: own.filter((name) => gone.every((other) => other.name !== name)), lost: gone };
}

const isSame = (a: DeploymentCase, b: DeploymentCase): boolean =>
  isDeepStrictEqual(a.deployment.ref, b.deployment.ref) &&
  a.deployment.pool === b.deployment.pool &&
  isSameAdmission(a.admission, b.admission) &&
  isDeepStrictEqual(a.lost, b.lost);

/** A pool's settings are the same value as long as its spec is. */
function isSameAdmission(a: PoolAdmission, b: PoolAdmission): boolean {
  if (a.kind === 'admitted' && b.kind === 'admitted') return a.pool === b.pool;
  return isDeepStrictEqual(a, b);
}
