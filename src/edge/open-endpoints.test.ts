import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, errorOf, startStub } from '../testing/http-kit.ts';
import { CLOSED_NAMES } from './endpoints.ts';

/** An edge with all open, the loaded model `a`, the unloaded `b`, and what has reached `a`. */
async function openBed(t: TestContext): Promise<{ readonly bed: EdgeBed; readonly requests: readonly string[] }> {
  const bed = await startEdge(t, { surface: { opened: CLOSED_NAMES } });
  const requests: string[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    requests.push(request);
    socket.write(answer('{"success":true}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] }, { model: 'b' });
  return { bed, requests };
}

for (const [path, body] of [
  ['/slots/0?model=a&action=save', '{"filename":"x.bin"}'],
  ['/slots/12?action=erase&model=a', ''],
  ['/lora-adapters?model=a', '[{"id":0,"scale":0.5}]'],
  ['/props?model=a', '{"n":12345678901234567890}'],
] as const) {
  test(`POST ${path} goes to the model of the query with its body unchanged, whatever that is`, async (t) => {
    const { bed, requests } = await openBed(t);
    const got = await ask(bed, { path, body });
    assert.deepEqual([got.status, got.text], [200, '{"success":true}']);
    const [request = ''] = requests;
    assert.ok(request.startsWith(`POST /secret${path} HTTP/1.1\r\n`), request);
    assert.ok(request.endsWith(`\r\n\r\n${body}`), request);
    bed.assertIdle();
  });
}

test('an order to a model counts as use, and is held until its model is loaded', async (t) => {
  const { bed, requests } = await openBed(t);
  const asked = ask(bed, { path: '/lora-adapters?model=b', body: '[]' });
  await bed.held('uid-b', 1);
  const stub = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{"by":"b"}')));
  bed.publish({ model: 'b', replicas: [stub.replica] });
  assert.equal((await asked).text, '{"by":"b"}');
  assert.equal(requests.length, 0);
});

for (const path of ['/lora-adapters', '/props', '/metrics']) {
  test(`GET ${path} asks a loaded model, and loads none`, async (t) => {
    const { bed, requests } = await openBed(t);
    const got = await ask(bed, { method: 'GET', path: `${path}?model=a` });
    assert.deepEqual([got.status, requests.length], [200, 1]);
    const unloaded = await ask(bed, { method: 'GET', path: `${path}?model=b` });
    assert.deepEqual([unloaded.status, errorOf(unloaded).get('code')], [400, 'model_not_loaded']);
    bed.assertIdle();
  });
}

for (const [method, path] of [
  ['POST', '/slots/0'],
  ['POST', '/slots/0?model='],
  ['POST', '/lora-adapters?model=a&model=b'],
  ['GET', '/props'],
  ['GET', '/metrics?name=a'],
] as const) {
  test(`${method} ${path} names no one model`, async (t) => {
    const { bed, requests } = await openBed(t);
    const got = await ask(bed, { method, path, body: method === 'POST' ? '{"model":"a"}' : undefined });
    assert.deepEqual([got.status, errorOf(got).get('code'), requests.length], [400, 'invalid_model', 0]);
    assert.match(String(errorOf(got).get('message')), /\?model=NAME$/u);
  });
}

test('an opened endpoint does not know a model that is not declared', async (t) => {
  const { bed } = await openBed(t);
  for (const method of ['GET', 'POST']) {
    const got = await ask(bed, { method, path: '/props?model=c' });
    assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'model_not_found']);
  }
});

test('what is beside an opened path stays closed', async (t) => {
  const { bed, requests } = await openBed(t);
  for (const path of ['/slots/', '/slots/0/', '/slots/..', '/slots/%30', '/props/', '/tools', '/cors-proxy']) {
    assert.equal((await ask(bed, { path: `${path}?model=a`, body: '{}' })).status, 404, path);
  }
  assert.equal(requests.length, 0);
});
