import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEdge } from '../testing/edge-testbed.ts';
import { answer, ask, errorOf, startStub } from '../testing/http-kit.ts';

const PATH = '/v1/audio/transcriptions';
const TYPE = 'multipart/form-data; boundary=----x7';
const formWith = (model: string, sound: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('------x7\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'),
    sound,
    Buffer.from(`\r\n------x7\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n------x7--\r\n`),
  ]);

test('a form arrives byte for byte, with its own type and length, also if its model comes last', async (t) => {
  const bed = await startEdge(t);
  let seen = '';
  const stub = await startStub(t, 'r1', (request, socket) => {
    seen = request;
    socket.write(answer('{"text":"x"}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const sound = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index * index));
  const body = formWith('a', sound);
  const got = await ask(bed, { path: PATH, body, headers: { 'content-type': TYPE } });
  assert.equal(got.text, '{"text":"x"}');
  const [head = '', ...sent] = seen.split('\r\n\r\n');
  assert.match(head, /^POST \/secret\/v1\/audio\/transcriptions HTTP/);
  assert.match(head, new RegExp(`content-type: ${TYPE}\r\n`, 'i'));
  assert.match(head, new RegExp(`content-length: ${body.length}`, 'i'));
  assert.ok(Buffer.from(sent.join('\r\n\r\n'), 'latin1').equals(body));
});

test('a form is bounded by its own limit', async (t) => {
  const bed = await startEdge(t, { limits: { maxBodyBytes: 10, maxMultipartBytes: 1000 } });
  bed.publish({ model: 'a' });
  const headers = { 'content-type': TYPE };
  assert.equal((await ask(bed, { path: PATH, body: formWith('b', Buffer.alloc(500)), headers })).status, 404);
  const got = await ask(bed, { path: PATH, body: formWith('b', Buffer.alloc(1000)), headers });
  assert.equal(got.status, 413);
  assert.equal(errorOf(got).get('code'), 'body_too_large');
});

const wrongTypes: readonly (readonly [path: string, type: string | undefined, message: RegExp])[] = [
  [PATH, 'application/json', /no form: send multipart\/form-data/],
  [PATH, undefined, /no form: send multipart\/form-data/],
  [PATH, 'application/x-www-form-urlencoded', /no form: send multipart\/form-data/],
  ['/v1/chat/completions', TYPE, /multipart: send JSON/],
  ['/models/load', TYPE, /multipart: send JSON/],
];
for (const [path, type, message] of wrongTypes) {
  test(`${type ?? 'a body without a type'} at ${path} is 415`, async (t) => {
    const bed = await startEdge(t);
    const got = await ask(bed, {
      path,
      body: '{"model":"a"}',
      headers: type === undefined ? {} : { 'content-type': type },
    });
    assert.equal(got.status, 415);
    assert.match(String(errorOf(got).get('message')), message);
  });
}

const wrongForms: readonly (readonly [type: string, body: Buffer | string, message: RegExp])[] = [
  ['multipart/form-data', formWith('a', Buffer.alloc(1)), /Content-Type/],
  ['multipart/mixed; boundary=----x7', formWith('a', Buffer.alloc(1)), /Content-Type/],
  [TYPE, '{"model":"a"}', /does not begin with its boundary/],
  [TYPE, formWith('a-cold', Buffer.alloc(1)), /variant .* name its model, "a"/],
];
for (const [type, body, message] of wrongForms) {
  test(`a form that says ${String(message)} is 400`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a', variants: [{ name: 'a-cold', parameters: '{"temperature":0}' }] });
    const got = await ask(bed, { path: PATH, body, headers: { 'content-type': type } });
    assert.equal(got.status, 400);
    assert.equal(errorOf(got).get('code'), 'invalid_model');
    assert.match(String(errorOf(got).get('message')), message);
  });
}
