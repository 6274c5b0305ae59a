import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS, PODS } from '../api/cluster/resources.ts';
import { readPath } from '../api/field-path.ts';
import type { JsonObject } from '../domain/json.ts';
import { runningStatus } from '../testing/fake-kubelet.ts';
import { creations, declare, phaseIs, report, startBed, startLoaded, statusOf } from '../testing/operator-bed.ts';

/** As Kubernetes' garbage collector says it of a pod whose Node object is gone. */
const COLLECTED = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' }; // prettier-ignore

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
