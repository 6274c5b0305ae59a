import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { hostileBody, randomFrom } from '../testing/hostile-bodies.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chatBody, errorOf, startStub } from '../testing/http-kit.ts';
import { testSeed } from '../testing/seed.ts';
import { addParameters } from './add-parameters.ts';
import { readJsonModel } from './json-model.ts';

const COLD = { name: 'a-cold', parameters: '{"temperature":0,"stop":["}"]}' };

/** An edge whose model answers each request, and keeps the body that came. */
async function started(t: TestContext): Promise<EdgeBed & { readonly bodies: readonly string[] }> {
  const bed = await startEdge(t);
  const bodies: string[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    bodies.push(Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1').toString());
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', aliases: ['b'], variants: [COLD], replicas: [stub.replica] });
  return { ...bed, bodies };
}

test("a variant's fields come last in the body's object, and every other byte stays as it is", async (t) => {
  const bed = await started(t);
  const body = '\n{ "temperature" : 1e0, "model":"a-\\u0063old","x":{"}":12345678901234567890} \t}\r\n ';
  assert.equal((await ask(bed, { body })).status, 200);
  const expected =
    '\n{ "temperature" : 1e0, "model":"a-\\u0063old","x":{"}":12345678901234567890} \t,"temperature":0,"stop":["}"]}\r\n ';
  assert.deepEqual(bed.bodies, [expected]);
});

test('the name of the model and its aliases add nothing', async (t) => {
  const bed = await started(t);
  const bodies = ['a', 'b'].map((model) => `{"temperature":1,"model":${JSON.stringify(model)}}`);
  for (const body of bodies) await ask(bed, { body });
  assert.deepEqual(bed.bodies, bodies);
});

test('a name that is nearly a variant is missing', async (t) => {
  const bed = await started(t);
  const got = await ask(bed, { body: chatBody('a-col') });
  assert.equal(got.status, 404);
  assert.equal(errorOf(got).get('code'), 'model_not_found');
  assert.deepEqual(bed.bodies, []);
});

test('a variant is listed among the other names of its model, which the log has in its place', async (t) => {
  const bed = await started(t);
  const { text } = await ask(bed, { method: 'GET', path: '/v1/models' });
  const { data } = JSON.parse(text) as { data: readonly { id: string; aliases: readonly string[] }[] };
  assert.deepEqual(
    data.map(({ id, aliases }) => [id, ...aliases]),
    [['a', 'b', 'a-cold']],
  );
  await ask(bed, { body: chatBody('a-cold') });
  await bed.ended(2);
  assert.equal(bed.records.at(-1)?.model, 'a');
});

test('whatever JSON a body is, it is JSON with the fields of a variant too, and they win', () => {
  const random = randomFrom(testSeed());
  for (let made = 0; made < 500; made += 1) {
    const { body } = hostileBody(random);
    const found = readJsonModel(body);
    if (!found.ok) continue;
    const before = JSON.parse(body.toString()) as object;
    const after: unknown = JSON.parse(addParameters(body, found.closedAt, COLD.parameters).toString());
    assert.deepEqual(after, { ...before, temperature: 0, stop: ['}'] });
  }
});

/** Many more: `npm run prove -- hostile --part forwarding`. */
const BODIES = 100;

test('the bytes of every body that is let in arrive as they were sent', async (t) => {
  const bed = await startEdge(t);
  const random = randomFrom(testSeed());
  let arrived = '';
  const stub = await startStub(t, 'r1', (request, socket) => {
    arrived = hashOf(Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1'));
    socket.write(answer('{}'));
  });
  for (let sent = 0; sent < BODIES;) {
    const { body } = hostileBody(random);
    const found = readJsonModel(body);
    if (!found.ok) continue;
    bed.publish({ model: found.model, uid: 'same', replicas: [stub.replica] });
    assert.equal((await ask(bed, { body })).status, 200, body.toString());
    assert.equal(arrived, hashOf(body), body.toString());
    sent += 1;
  }
});

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
