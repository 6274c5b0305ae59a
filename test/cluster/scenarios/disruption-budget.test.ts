import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, startStream } from '../../support/chat.ts';
import { RefusedCall, type ApiObject } from '../support/api-client.ts';
import { ask, contentOf } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { nodeOf } from '../support/node-of.ts';
import { standStill } from '../support/pod-process.ts';
import { run, RunError } from '../support/run.ts';
import type { PresetSpec, Scene } from '../support/scene.ts';

const LONG = 600;
const DEPLOYMENT = 'budgeted';
/** In what is said to who may not evict. */
const BUDGET = 'disruption budget';

const preset = (scaling: object): PresetSpec => ({ name: 'slow', source: { path: '/models/slow.gguf' }, scaling });

/** A budget over all pods of the ModelDeployment, as a user writes it. Resolves when Kubernetes says that one of the two may be disrupted. */
async function makeBudget({ corral, namespace }: Scene): Promise<void> {
  const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
  const { api } = corral.cluster;
  const selector = { matchLabels: { 'corral.dev/deployment': DEPLOYMENT } };
  await api.call('POST', budgets, { metadata: { name: 'one-stays' }, spec: { minAvailable: 1, selector } });
  await api.until(budgets, 'one-stays', (budget) => allowedBy(budget) === 1);
}

function allowedBy(budget: ApiObject | undefined): unknown {
  const status = budget?.['status'];
  return typeof status === 'object' && status !== null && 'disruptionsAllowed' in status
    ? status.disruptionsAllowed
    : undefined;
}

/** Asks the eviction API, as whoever drains a node does. Throws RefusedCall if that is refused. */
const evict = async ({ corral }: Scene, { metadata: { name, namespace } }: ApiObject): Promise<unknown> =>
  corral.cluster.api.call('POST', `/api/v1/namespaces/${String(namespace)}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
  });

/** Drains the node of a pod of all pods of the ModelDeployment, and gives up when a budget forbids it. */
async function tryDrain({ t, corral }: Scene, pod: ApiObject): Promise<string> {
  const node = nodeOf(pod);
  const { cluster } = corral;
  const uncordon = async (): Promise<string> => cluster.kubectl(['uncordon', node]);
  t.after(uncordon);
  const which = [`--pod-selector=corral.dev/deployment=${DEPLOYMENT}`, '--delete-emptydir-data', '--timeout=60s'];
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  return run([cluster.kubectlFile, 'drain', node, ...which], { env, endAt: BUDGET }).finally(uncordon);
}

const isBudget = (error: unknown): boolean => error instanceof RunError && error.stderr.includes(BUDGET);
const isRefusal = (error: unknown): boolean =>
  error instanceof RefusedCall && error.status === 429 && error.answer.includes(BUDGET);

/** Whether it is being deleted, or gone. */
const isLeaving = ({ pods }: Scene, { metadata: { uid } }: ApiObject): boolean =>
  pods.pods.every(({ metadata }) => metadata.uid !== uid || metadata.deletionTimestamp !== undefined);

describe("a user's PodDisruptionBudget over model pods", { timeout: 180_000 }, () => {
  it(
    'is kept by who evicts, whose one eviction cuts nothing, and does not keep Corral from unloading the last pod',
    inCluster(async (scene) => {
      // A third one would be one more that may be disrupted: it waits until the first is gone.
      const pool = await scene.pool({ capacity: { maxLoaded: 2 } });
      await scene.apply(DEPLOYMENT, pool, [preset({ minReplicas: 2, maxReplicas: 2 })]);
      const said = contentOf(await ask(scene.url, 'slow'));
      const first = await scene.readyPod('slow');
      const second = await scene.readyPod('slow', first);
      await makeBudget(scene);
      // One at each: the edge sends a request to the pod with the fewest.
      const streams = [await startStream(scene, 'slow', LONG), await startStream(scene, 'slow', LONG)];
      const resumes = [first, second].map((pod) => standStill(scene.t, pod));

      await evict(scene, first);
      await assert.rejects(evict(scene, second), isRefusal);
      await assert.rejects(tryDrain(scene, second), isBudget);
      await scene.pods.until('the eviction', () => (isLeaving(scene, first) ? true : undefined));
      assert.ok(!isLeaving(scene, second), 'the budget forbids it');
      assert.ok(
        streams.every(({ isOver }) => !isOver()),
        'the streams were too short to be cut',
      );
      for (const resume of resumes) resume();
      assert.equal(contentOf(await ask(scene.url, 'slow')), said);
      for (const stream of streams) await assertWhole(stream.whole, 'slow', LONG);
      await scene.pods.untilGone(first.metadata.uid);
      await scene.readyPod('slow', second);

      await scene.edit(DEPLOYMENT, [preset({ idleTimeout: '300ms' })]);
      await scene.pods.untilEmpty();
    }),
  );
});
