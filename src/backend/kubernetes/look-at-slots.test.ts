import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { viewPod, type PodView } from '../../api/cluster/pod-view.ts';
import { aModelPod } from '../../testing/cluster-objects.ts';
import { asKubeObject, metaOf } from '../../testing/fake-api-store.ts';
import { lookAtSlots } from './look-at-slots.ts';

/** A pod whose llama-server answers so. */
async function aPodThat(t: TestContext, status: number, body: string): Promise<{ pod: PodView; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { pod: { ...aView(), address: { origin: `http://127.0.0.1:${port}`, prefix: '/corral-1' } }, asked };
}

function aView(): PodView {
  const pod = aModelPod('a', { uid: 'a-pod', ip: '10.0.0.1' });
  const stamps = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  const view = viewPod(asKubeObject({ ...pod, metadata: { ...metaOf(pod), ...stamps } }));
  assert.ok(view !== undefined);
  return view;
}

const slots = (...busy: readonly boolean[]): string =>
  JSON.stringify(busy.map((isBusy, id) => ({ id, n_ctx: 512, is_processing: isBusy })));

test('slots are asked for below the path of the pod, and one busy slot is enough', async (t) => {
  const idle = await aPodThat(t, 200, slots(false, false));
  assert.equal(await lookAtSlots(idle.pod), 'idle');
  assert.deepEqual(idle.asked, ['/corral-1/slots']);
  assert.equal(await lookAtSlots((await aPodThat(t, 200, slots(false, true))).pod), 'busy');
});

test('whatever is no list of slots is not idle', async (t) => {
  for (const [status, body] of [
    [501, '{"error":{"message":"This server does not support slots endpoint."}}'],
    [503, slots(false)],
    [200, '[]'],
    [200, '{}'],
    [200, '[{"id":0}]'],
    [200, slots(false).slice(1)],
  ] as const)
    assert.equal(await lookAtSlots((await aPodThat(t, status, body)).pod), 'unknown', `${status} ${body}`);
  const nobody = { ...aView(), address: { origin: 'http://127.0.0.1:9', prefix: '' } };
  assert.equal(await lookAtSlots(nobody), 'unknown', 'nobody listens');
  assert.equal(await lookAtSlots({ ...aView(), address: undefined }), 'unknown', 'it has no address');
  const odd = { ...aView(), address: { origin: 'http://127.0.0.1:9', prefix: '/\u{1F98A}' } };
  assert.equal(await lookAtSlots(odd), 'unknown', 'a path that cannot be asked for');
});

test('a pod that has not begun has served nobody, and one that has ended or that is not heard of may have', async () => {
  const pod = { ...aView(), address: undefined };
  const name = 'llama-server';
  const waiting = { name, kind: 'waiting', reason: 'ContainerCreating', message: '' } as const;
  assert.equal(await lookAtSlots({ ...pod, phase: 'Pending', server: waiting }), 'idle');
  assert.equal(await lookAtSlots({ ...pod, phase: 'Pending', server: { name, kind: 'unknown' } }), 'idle');
  assert.equal(await lookAtSlots({ ...pod, phase: 'Unknown', server: waiting }), 'unknown');
  assert.equal(await lookAtSlots({ ...pod, phase: 'Running', server: { name, kind: 'unknown' } }), 'unknown');
});
