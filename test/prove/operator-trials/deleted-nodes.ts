import type { ApiObject } from '../../cluster/support/api-client.ts';
import { textAt } from '../../cluster/support/field-at.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { tryEach } from '../try-each.ts';
import { OperatorKeeper } from './operator-keeper.ts';
import { PAPER_NODE, startPaperNode } from './paper-kubelet.ts';
import type { Stage } from './stage.ts';
import { Trial } from './trial.ts';

const TAINT = 'example.com/deleted';
/** What the garbage collector of pods takes until it believes that a node is gone: it looks every 20 s, and waits for 40 s (Kubernetes v1.34, pkg/controller/podgc). */
const COLLECTED_WITHIN = 120;
/** What Kubernetes says is in the status by then. */
const TOLD_WITHIN_MS = 5_000;

/** Runs on this node while it is there, and else on the other one. */
const rather = (node: string): object => ({
  tolerations: [{ key: TAINT, operator: 'Exists' }],
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          preference: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
        },
      ],
    },
  },
});

/** Node objects are deleted, all at once: on each there is a model in use, and another one waits for its place. */
export async function tryDeletedNodes(t: Cleanup, stage: Stage, runs: number): Promise<Series> {
  const keeper = await OperatorKeeper.start(t, stage);
  const nodes = Array.from({ length: runs }, (_, index) => `deleted-${index + 1}`);
  const tried = await Promise.all(
    nodes.map(async (node) => tryEach([node], async () => loseNodeObject(t, stage, node))),
  );
  return {
    what: 'a Node object is deleted, with a model in use there for whose place another one waits: its place is free when the garbage collector has removed its pod, and not before; it is told why, who waits is served, and it is loaded elsewhere when it is asked for',
    runs,
    failures: [...tried.flatMap(({ failures }) => failures), ...keeper.takeFaults()],
    timed: 'from the end of the pod to its reason in the status',
    timings: tried.flatMap(({ timings }) => timings),
  };
}

async function loseNodeObject(t: Cleanup, stage: Stage, node: string): Promise<number> {
  const { api } = stage.own.cluster;
  await startPaperNode(t, api, stage.pods, { name: node, taint: TAINT });
  const trial = new Trial(stage, node, 'default');
  await trial.begin({ capacity: { maxLoaded: 1 }, eviction: { fairAfter: '0s' } });
  await trial.declare([{ name: 'a', pod: rather(node) }, { name: 'b' }]);
  const stopCounting = trial.countPods();
  const cut = trial.request('a');
  await trial.untilPhase('a', 'Ready');
  const pod = onlyPodOn(trial, node);
  const waiting = trial.request('b');
  await trial.untilPhase('b', 'Waiting');
  await api.call('DELETE', `/api/v1/nodes/${node}`);
  await trial.untilLeft(pod, COLLECTED_WITHIN);
  const took = await untilTold(trial);
  await trial.untilStarted('b', waiting);
  for (const request of [cut, waiting]) request.end();
  await trial.load('a');
  onlyPodOn(trial, PAPER_NODE);
  stopCounting();
  await trial.end();
  if (trial.most > 1) throw new Error(`${node}: ${trial.most} pods had a place at once`);
  if (took > TOLD_WITHIN_MS) throw new Error(`${node}: why its pod has gone was told ${took.toFixed(0)} ms later`);
  return took;
}

async function untilTold(trial: Trial): Promise<number> {
  const gone = performance.now();
  const isTold = (): boolean => JSON.stringify(trial.deployment?.['status']).includes('"reason":"NodeLost"');
  await trial.until('a', 'why its pod has gone', isTold);
  return performance.now() - gone;
}

function onlyPodOn(trial: Trial, node: string): ApiObject {
  const pods = trial.pods('a');
  const [pod] = pods;
  if (pod === undefined || pods.length > 1) throw new Error(`${trial.id}: ${pods.length} pods of a`);
  const place = textAt(pod, 'spec', 'nodeName');
  if (place !== node) throw new Error(`${trial.id}: the pod of a is on ${String(place)}, and not on ${node}`);
  return pod;
}
