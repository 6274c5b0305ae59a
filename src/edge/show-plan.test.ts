import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelPlan } from '../routing/model-plan.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import { ask, errorOf } from '../testing/http-kit.ts';

const PLAN: ModelPlan = { model: 'a', pool: 'gpu', outcome: 'starts', bin: 'gpu-1', message: 'it would be started' };

test('a plan is asked for by name or alias, and a look is no use of the model', async (t) => {
  const asked: string[] = [];
  const bed = await startEdge(t, {
    planOf: ({ uid }) => {
      asked.push(uid);
      return PLAN;
    },
  });
  bed.publish({ model: 'a', aliases: ['other/name:x'] });
  const path = '/models/plan?model=other%2Fname%3Ax';
  const got = await ask(bed, { method: 'GET', path });
  assert.equal(got.status, 200);
  assert.deepEqual(JSON.parse(got.text), PLAN);
  assert.equal((await ask(bed, { method: 'GET', path: '/models/plan?model=a' })).text, got.text);
  assert.deepEqual(asked, ['uid-a', 'uid-a']);
  bed.assertIdle();
  await bed.ended(2);
  assert.equal(bed.lines.at(-1)?.fields.get('model'), 'a');
});

test('a name that nobody declares is 404, and nobody plans for it', async (t) => {
  const bed = await startEdge(t, { planOf: () => assert.fail('there is nothing to plan for') });
  bed.publish({ model: 'a' });
  for (const name of ['b', 'A', '__proto__']) {
    const got = await ask(bed, { method: 'GET', path: `/models/plan?model=${name}` });
    assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'model_not_found']);
  }
});

test('a model that was declared away in between is 404 too', async (t) => {
  const bed = await startEdge(t, { planOf: () => undefined });
  bed.publish({ model: 'a' });
  assert.equal((await ask(bed, { method: 'GET', path: '/models/plan?model=a' })).status, 404);
});

for (const query of ['', '?', '?model=', '?model=a&model=a', '?name=a']) {
  test(`the query ${JSON.stringify(query)} names no one model, which is 400`, async (t) => {
    const bed = await startEdge(t, { planOf: () => PLAN });
    bed.publish({ model: 'a' });
    const got = await ask(bed, { method: 'GET', path: `/models/plan${query}` });
    assert.deepEqual([got.status, errorOf(got).get('code')], [400, 'invalid_model']);
    assert.match(String(errorOf(got).get('message')), /\/models\/plan\?model=NAME/u);
  });
}

test('an edge that does not decide says who does', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const got = await ask(bed, { method: 'GET', path: '/models/plan?model=a' });
  assert.deepEqual([got.status, errorOf(got).get('code')], [501, 'planned_elsewhere']);
  assert.match(String(errorOf(got).get('message')), /operator/u);
});

test('only GET shows a plan', async (t) => {
  const bed = await startEdge(t, { planOf: () => PLAN });
  const got = await ask(bed, { path: '/models/plan?model=a', body: '{"model":"a"}' });
  assert.deepEqual([got.status, got.headers.allow], [405, 'GET, HEAD, OPTIONS']);
});
