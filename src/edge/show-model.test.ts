import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEdge } from '../testing/edge-testbed.ts';
import { ask, errorOf } from '../testing/http-kit.ts';

const MODELS = [{ model: 'a', aliases: ['short'] }, { model: 'org/a:Q4_K_M' }, { model: 'a%2Fb' }, { model: 'ä' }];

for (const [path, id] of [
  ['a', 'a'],
  ['short', 'a'],
  ['%61', 'a'],
  ['org/a:Q4_K_M', 'org/a:Q4_K_M'],
  ['org%2Fa:Q4_K_M', 'org/a:Q4_K_M'],
  ['org%2fa%3AQ4_K_M', 'org/a:Q4_K_M'],
  ['a%252Fb', 'a%2Fb'],
  ['%C3%A4', 'ä'],
  ['a?model=nothing', 'a'],
] as const) {
  test(`GET /v1/models/${path} shows ${id} as the list does`, async (t) => {
    const bed = await startEdge(t);
    bed.publish(...MODELS);
    const got = await ask(bed, { method: 'GET', path: `/v1/models/${path}` });
    const list = JSON.parse((await ask(bed, { method: 'GET', path: '/v1/models' })).text) as { data: { id: string }[] };
    assert.equal(got.status, 200);
    assert.deepEqual(
      JSON.parse(got.text),
      list.data.find((entry) => entry.id === id),
    );
  });
}

for (const path of ['b', 'A', 'a/', 'a%20', 'a%2Fb', '/a', '../models/a', '__proto__', 'a%00', '%2561']) {
  test(`GET /v1/models/${path} names no model`, async (t) => {
    const bed = await startEdge(t);
    bed.publish(...MODELS);
    const got = await ask(bed, { method: 'GET', path: `/v1/models/${path}` });
    assert.deepEqual(
      [got.status, errorOf(got).get('code'), errorOf(got).get('param')],
      [404, 'model_not_found', 'model'],
    );
  });
}

for (const path of ['%', 'a%2', '%zz', '%ff', '%C3', '%ED%A0%80']) {
  test(`GET /v1/models/${path} is not percent-encoded UTF-8`, async (t) => {
    const bed = await startEdge(t);
    bed.publish(...MODELS);
    const got = await ask(bed, { method: 'GET', path: `/v1/models/${path}` });
    assert.deepEqual([got.status, errorOf(got).get('code')], [400, 'invalid_model']);
  });
}

test('GET /v1/models/ names nothing, and is not there', async (t) => {
  const bed = await startEdge(t);
  const got = await ask(bed, { method: 'GET', path: '/v1/models/' });
  assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'not_found']);
});
