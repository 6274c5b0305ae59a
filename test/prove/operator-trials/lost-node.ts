import { runningStatus } from '../../../src/testing/fake-kubelet.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { podPath, startPaperNode, type PodRuns } from './paper-kubelet.ts';
import type { Stage } from './stage.ts';
import { Trial } from './trial.ts';

const NODE = 'lost';
const TAINT = 'example.com/lost';
const ON_IT = { nodeSelector: { 'kubernetes.io/hostname': NODE }, tolerations: [{ key: TAINT, operator: 'Exists' }] };

/** As a kubelet says it of a pod that serves. The last one stays when nobody hears of it any more. */
const conditions = ['PodScheduled', 'Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' }));
const RUNS: PodRuns = {
  start: async () => Promise.resolve([{ ...runningStatus(true), conditions }]),
  end: async () => Promise.resolve(),
};

/**
 * Loads a model on a node of its own, which falls silent: nobody but the node controller says so. Resolves when the model is loaded, with
 * what waits until it has failed of that, and until another one has its place. An operator must lead, also then.
 */
export async function loseNode(t: Cleanup, stage: Stage): Promise<() => Promise<void>> {
  const fallSilent = await startPaperNode(t, stage.own.cluster.api, stage.pods, {
    name: NODE,
    taint: TAINT,
    runs: RUNS,
  });
  const trial = new Trial(stage, 'lost-node', 'default');
  t.after(async () => trial.end());
  await trial.begin({ capacity: { maxLoaded: 1 } });
  await trial.declare([{ name: 'a', pod: ON_IT, scaling: { loadTimeout: '2s' } }, { name: 'b' }]);
  await trial.load('a');
  fallSilent();
  return async () => untilReplaced(trial);
}

/** The pod of a node that nobody hears keeps its place: what runs there is unknown, until somebody who knows says that it has ended. */
async function untilReplaced(trial: Trial): Promise<void> {
  const isTold = (): boolean => JSON.stringify(trial.deployment?.['status']).includes('"reason":"NodeLost"');
  await trial.until('a', 'a lost node', isTold);
  const [lost] = trial.pods('a');
  if (lost === undefined) throw new Error('the pod of the lost node has left by itself');
  const request = trial.request('b');
  await trial.until('b', 'a place', ({ phase }) => phase === 'Waiting');
  await trial.stage.own.cluster.api.call('DELETE', podPath(lost), AT_ONCE);
  await trial.untilStarted('b', request);
  request.end();
}

const AT_ONCE = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 };
