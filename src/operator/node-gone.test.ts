import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { EVENTS, PODS } from '../api/cluster/resources.ts';
import { readMember, readPath } from '../api/field-path.ts';
import type { JsonObject } from '../domain/json.ts';
import { runningStatus } from '../testing/fake-kubelet.ts';
import {
  creations,
  declare,
  phaseIs,
  presetIs,
  report,
  setCapacity,
  startBed,
  startLoaded,
  startOperator,
  statusOf,
} from '../testing/operator-bed.ts';

/** As Kubernetes' garbage collector says it of a pod whose Node object is gone. */
const COLLECTED = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' }; // prettier-ignore

/** As many replicas of a model, of which this becomes in one moment; the status that follows when nothing is left of them. */
async function failTogether(t: TestContext, env: JsonObject, status: JsonObject): Promise<unknown> {
  const bed = await startBed(t);
  const { server, kubelet } = bed;
  setCapacity(bed, {});
  declare(server, 'a', { scaling: { minReplicas: 6 }, env: [env] });
  report(server, { models: { a: {} } });
  await startOperator(t, bed);
  const isReady = env['value'] === 'ready';
  await server.until(
    () => server.objects(PODS).length === 6 && (!isReady || presetIs(server, 'a', { readyReplicas: 6 })()),
  );
  const pods = server.objects(PODS).map(({ metadata }) => metadata);
  for (const { name } of pods) kubelet.setStatus(name, status);
  await server.until(() => !server.objects(PODS).some(({ metadata }) => pods.some(({ uid }) => uid === metadata.uid)));
  return readMember(statusOf(server, 'a'), 'lastFailure');
}

test('the replicas of a model that end with their node have failed once, and are made anew at once', async (t) => {
  const status = { ...runningStatus(true), phase: 'Failed', conditions: [COLLECTED] };
  const last = await failTogether(t, { name: 'FAKE', value: 'ready' }, status);
  assert.deepEqual(['reason', 'inARow', 'waitSeconds'].map((field) => readMember(last, field)), ['NodeLost', 1, undefined]); // prettier-ignore
});

test('the replicas of a model whose image a registry does not give have failed once, and wait for ten seconds', async (t) => {
  const waiting = { reason: 'ErrImagePull', message: 'registry: 503' };
  const status = { phase: 'Pending', containerStatuses: [{ name: 'llama-server', state: { waiting } }] };
  const last = await failTogether(t, { name: 'FAKE', value: 'never' }, status);
  assert.deepEqual(['reason', 'inARow', 'waitSeconds'].map((field) => readMember(last, field)), ['ImagePull', 1, 10]); // prettier-ignore
});

test('the pod of a node that was deleted keeps its place until it is gone, which is told of as that, and its model comes again', async (t) => {
  const bed = await startBed(t);
  const { server } = bed;
  declare(server, 'b');
  await startLoaded(t, bed);
  report(server, { models: { a: { inFlight: 1 }, b: { waiting: 1 } } });
  await server.until(phaseIs(server, 'b', 'Waiting'));
  const [pod] = server.objects(PODS);
  assert.ok(pod !== undefined);
  const status = { ...runningStatus(true), phase: 'Failed', conditions: [COLLECTED] };
  const ref = { namespace: 'ml', name: pod.metadata.name };
  // A watch may tell all of it at once: it has failed, is deleted without any grace, and is gone.
  server.edit(PODS, ref, (was) => ({ ...was, status }));
  const deletion = { deletionTimestamp: '2026-01-01T00:01:00Z', deletionGracePeriodSeconds: 0 };
  server.edit(PODS, ref, (was) => ({ ...was, metadata: { ...(was['metadata'] as JsonObject), ...deletion } }));
  server.finishDeletion(pod.metadata.uid);
  await server.until(phaseIs(server, 'b', 'Ready'));
  await server.until(() => readPath(statusOf(server, 'a'), ['lastFailure', 'reason']) === 'NodeLost');
  const note = 'a: its node is gone: PodGC: node no longer exists';
  await server.until(() => server.objects(EVENTS).some((event) => event['note'] === note));
  report(server, { models: { a: { waiting: 1 }, b: { idleSeconds: 1 } } });
  await server.until(() => server.objects(PODS).some(({ metadata }) => readPath(metadata, ['annotations', 'corral.dev/gate']) === 'closed/1')); // prettier-ignore
  const [leaving] = server.objects(PODS);
  assert.ok(leaving !== undefined);
  report(server, {
    models: { a: { waiting: 1 }, b: { idleSeconds: 1 } },
    acks: [{ podUid: leaving.metadata.uid, epoch: 1 }],
  });
  await server.until(phaseIs(server, 'a', 'Ready'));
  assert.deepEqual(creations(server), ['a', 'b', 'a']);
});
