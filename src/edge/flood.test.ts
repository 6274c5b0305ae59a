import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { instant } from '../domain/units.ts';
import { EdgeMetrics } from '../platform/metrics/edge-metrics.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import { askMany } from '../testing/ask-many.ts';
import { answer, ask, chat, startStub } from '../testing/http-kit.ts';

const NAMES = 2000;

test('names that nobody declares leave nothing behind, however many come, and disturb nobody', async (t) => {
  const registry = new Registry();
  const sight = { models: () => [], isDeclared: () => true, now: () => instant(0) };
  const bed = await startEdge(t, { observers: [new EdgeMetrics(registry, sight)] });
  let served = 0;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    served += 1;
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const series = async (): Promise<number> => (await registry.metrics()).split('\n').length;
  await chat(bed, 'a');
  await chat(bed, 'nobody');
  await ask(bed, { method: 'GET', path: '/v1/models/nobody' });
  const before = await series();
  const statuses = await askMany(bed.port, NAMES, (number) => ({
    path: number % 2 === 0 ? '/v1/chat/completions' : `/v1/models/nobody-${number}`,
    body: number % 2 === 0 ? JSON.stringify({ model: `nobody-${number}` }) : undefined,
  }));
  assert.deepEqual([...statuses], [[404, NAMES]]);
  assert.equal((await chat(bed, 'a')).status, 200);
  await bed.ended(NAMES + 4);
  assert.equal(await series(), before);
  assert.equal(served, 2);
  assert.doesNotMatch(await registry.metrics(), /nobody/u);
  assert.doesNotMatch(JSON.stringify([bed.records, bed.lines.map(({ fields }) => [...fields])]), /nobody/u);
  bed.assertIdle();
});
