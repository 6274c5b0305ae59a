import type { ApiObject } from '../../cluster/support/api-client.ts';
import { isReady } from '../../cluster/support/test-cluster.ts';
import type { Stage } from './stage.ts';
import { Trial } from './trial.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What is applied, and how the cluster is to be afterwards. */
interface Step {
  readonly preset?: Fields;
  readonly pool?: Fields;
  readonly shows: (trial: Trial) => Promise<void>;
}

/** A field that is set, changed and taken back; what else is declared stays the same. */
export interface FieldTrial {
  readonly field: string;
  readonly steps: readonly [set: Step, changed: Step, takenBack: Step];
}

const LABEL = 'example.com/team';
const teamOf = ({ metadata }: ApiObject): string | undefined => metadata.labels?.[LABEL];
/** Always loaded. */
const LOADED = { minReplicas: 1 };
/** Loaded for as long as something else says so. */
const BRIEF = { idleTimeout: '200ms' };

const labelled = (team: string | undefined): Step => ({
  preset: { scaling: LOADED, ...(team === undefined ? {} : { pod: { labels: { [LABEL]: team } } }) },
  shows: async (trial) =>
    trial.untilPods('a', `one pod, of the team ${String(team)}`, ([pod, ...others]) => pod !== undefined && others.length === 0 && isReady(pod) && teamOf(pod) === team), // prettier-ignore
});

const replicas = (minReplicas: number | undefined): Step => ({
  preset: { scaling: { ...BRIEF, maxReplicas: 2, ...(minReplicas === undefined ? {} : { minReplicas }) } },
  shows: async (trial) => (minReplicas === undefined ? trial.untilGone('a') : trial.untilReady('a', minReplicas)),
});

const named = (model: string | undefined): Step => ({
  preset: { model },
  shows: async (trial) => trial.until('a', 'its only name', ({ names }) => names.join() === (model ?? 'a')),
});

const paused = (isPaused: boolean | undefined): Step => ({
  preset: { scaling: LOADED },
  pool: isPaused === undefined ? {} : { paused: isPaused },
  shows: async (trial) => (isPaused === true ? trial.untilGone('a') : trial.untilReady('a', 1)),
});

const allowed = (from: string | undefined): Step => ({
  pool: from === undefined ? {} : { allowedNamespaces: { from } },
  shows: async (trial) => {
    const isRefused = (): boolean => JSON.stringify(trial.deployment?.['status']).includes('PoolNotAllowed');
    await trial.until('a', `as from ${String(from)}`, () => isRefused() === (from === 'None'));
  },
});

/** One of each kind of effect that shows in a cluster: on the pod, the plan, the names, and the status. */
export const FIELD_TRIALS: readonly FieldTrial[] = [
  { field: 'presets[].pod.labels', steps: [labelled('one'), labelled('two'), labelled(undefined)] },
  { field: 'presets[].scaling.minReplicas', steps: [replicas(1), replicas(2), replicas(undefined)] },
  { field: 'presets[].model', steps: [named('fields/one'), named('fields/two'), named(undefined)] },
  { field: 'paused', steps: [paused(false), paused(true), paused(undefined)] },
  { field: 'allowedNamespaces.from', steps: [allowed('All'), allowed('None'), allowed(undefined)] },
];

/** An operator must lead. Rejects if a field does not have its effect, or has it still when it was taken back. */
export async function tryField(stage: Stage, { field, steps }: FieldTrial, index: number): Promise<void> {
  const trial = new Trial(stage, `fields-${index}`, 'default');
  for (const { shows, ...declared } of steps) {
    const tried = trial.apply(declared).then(async () => shows(trial));
    await tried.catch((error: unknown) => {
      throw new Error(`${field}: ${String(error)}`, { cause: error });
    });
  }
  await trial.end();
}
