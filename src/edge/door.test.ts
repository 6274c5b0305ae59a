import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { milliseconds } from '../domain/units.ts';
import { startEdge } from '../testing/edge-testbed.ts';
import { answer, ask, chat, chatBody, errorOf, exchangeRaw, startStub, type Got } from '../testing/http-kit.ts';

for (const path of ['/health', '/v1/health']) {
  test(`GET ${path} is answered whatever the models do`, async (t) => {
    const bed = await startEdge(t);
    const got = await ask(bed, { method: 'GET', path });
    assert.deepEqual([got.status, got.text], [200, '{"status":"ok"}']);
  });
}

const names = [
  'b',
  'A',
  'a ',
  ' a',
  'a\u0000',
  'a\n',
  '__proto__',
  'constructor',
  'toString',
  'a/b:c',
  '../a',
  'a%61',
  'ä',
  'http://169.254.169.254/',
];
for (const name of names) {
  test(`the unknown name ${JSON.stringify(name)} is 404, reaches nobody and is counted nowhere`, async (t) => {
    const bed = await startEdge(t);
    let requests = 0;
    const stub = await startStub(t, 'r1', () => (requests += 1));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    const got = await chat(bed, name);
    assert.equal(got.status, 404);
    const error = errorOf(got);
    assert.deepEqual(
      [error.get('code'), error.get('type'), error.get('param')],
      ['model_not_found', 'invalid_request_error', 'model'],
    );
    assert.ok(String(error.get('message')).includes(JSON.stringify(name)));
    assert.equal(requests, 0);
    bed.assertIdle();
  });
}

test('a very long unknown name is cut in the message', async (t) => {
  const bed = await startEdge(t);
  const got = await chat(bed, 'x'.repeat(5000));
  assert.equal(got.status, 404);
  assert.ok(got.text.length < 500);
});

test('a declared name without an account is missing, not counted on a new one', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  bed.ledger.declare([], 0 as never);
  assert.equal((await chat(bed, 'a')).status, 404);
});

for (const body of [
  '',
  '{}',
  '{"model":""}',
  '{"model":null}',
  '{"model":7}',
  '{"model":"a","model":"a"}',
  '{"model":"a"',
  '[{"model":"a"}]',
  'model=a',
]) {
  test(`the body ${body} is 400 with a reason`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a' });
    const got = await ask(bed, { body });
    assert.deepEqual([got.status, errorOf(got).get('code')], [400, 'invalid_model']);
    bed.assertIdle();
  });
}

for (const path of [
  '/',
  '/v1',
  '/v1/chat/completions/',
  '//v1/chat/completions',
  '/V1/chat/completions',
  '/v1/chat%2Fcompletions',
  '/v1/./chat/completions',
  '/v1/chat/completions;x',
  '/props',
  '/metrics',
  '/slots/0',
  '/lora-adapters',
  '/models/a',
  '/models/load/',
  '/secret/v1/chat/completions',
]) {
  test(`nothing is at ${path}, and nothing is forwarded`, async (t) => {
    const bed = await startEdge(t);
    let requests = 0;
    const stub = await startStub(t, 'r1', () => (requests += 1));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    const got = await ask(bed, { path, body: chatBody('a') });
    assert.deepEqual([got.status, errorOf(got).get('code'), requests], [404, 'not_found', 0]);
  });
}

for (const [method, path, allow] of [
  ['GET', '/v1/chat/completions', 'POST, OPTIONS'],
  ['DELETE', '/v1/models', 'GET, HEAD, OPTIONS'],
  ['DELETE', '/v1/models/a', 'GET, HEAD, OPTIONS'],
  ['POST', '/health', 'GET, HEAD, OPTIONS'],
  ['PUT', '/models/load', 'POST, OPTIONS'],
  ['HEAD', '/completion', 'POST, OPTIONS'],
  ['TRACE', '/completion', 'POST, OPTIONS'],
] as const) {
  test(`${method} ${path} is 405 and says ${allow}`, async (t) => {
    const bed = await startEdge(t);
    const got = await ask(bed, { method, path });
    assert.deepEqual([got.status, got.headers.allow], [405, allow]);
  });
}

for (const [path, allow] of [
  ['/v1/models', 'GET, HEAD, OPTIONS'],
  ['/completion', 'POST, OPTIONS'],
] as const) {
  test(`OPTIONS ${path} is answered with ${allow} and nothing else`, async (t) => {
    const bed = await startEdge(t);
    const got = await ask(bed, { method: 'OPTIONS', path });
    assert.deepEqual([got.status, got.headers.allow, got.text], [204, allow, '']);
  });
}

for (const path of ['/health', '/v1/models', '/v1/models/a']) {
  test(`HEAD ${path} has the head of GET and no body`, async (t) => {
    const bed = await startEdge(t);
    bed.publish({ model: 'a' });
    const [head, get] = [await ask(bed, { method: 'HEAD', path }), await ask(bed, { method: 'GET', path })];
    const told = ({ status, headers }: Got) => [status, headers['content-type'], headers['content-length']];
    assert.deepEqual(told(head), told(get));
    assert.equal(head.text, '');
  });
}

for (const [headers, word] of [
  [{ 'content-type': 'multipart/form-data; boundary=x' }, /multipart/],
  [{ 'content-type': 'application/json; charset=utf-16' }, /utf-16/],
  [{ 'content-encoding': 'gzip' }, /gzip/],
] as const) {
  test(`a body with ${JSON.stringify(headers)} is 415`, async (t) => {
    const bed = await startEdge(t);
    const got = await ask(bed, { headers, body: chatBody('a') });
    assert.equal(got.status, 415);
    assert.match(String(errorOf(got).get('message')), word);
  });
}

for (const type of [
  'application/json',
  'application/json; charset=UTF-8',
  'application/problem+json',
  'text/plain',
  'application/x-www-form-urlencoded',
]) {
  test(`JSON that calls itself ${type} is read`, async (t) => {
    const bed = await startEdge(t);
    assert.equal((await ask(bed, { headers: { 'content-type': type }, body: chatBody('a') })).status, 404);
  });
}

test('a body that is announced as too large is refused before it is sent', async (t) => {
  const bed = await startEdge(t, { limits: { maxBodyBytes: 1000 } });
  const got = await exchangeRaw(bed, 'POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n');
  assert.match(got, /^HTTP\/1\.1 413 [^]*connection: close[^]*"body_too_large"/i);
});

test('a body that grows too large is refused where it does', async (t) => {
  const bed = await startEdge(t, { limits: { maxBodyBytes: 1000 } });
  const chunks = `100\r\n${'x'.repeat(256)}\r\n`.repeat(4);
  const got = await exchangeRaw(
    bed,
    `POST /completion HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  );
  assert.match(got, /^HTTP\/1\.1 413 [^]*connection: close[^]*"body_too_large"/i);
});

test('a body of exactly the limit is read', async (t) => {
  const body = chatBody('a');
  const bed = await startEdge(t, { limits: { maxBodyBytes: body.length } });
  assert.equal((await ask(bed, { body })).status, 404);
});

test('the bodies in memory are bounded together, and the room comes back', async (t) => {
  const bed = await startEdge(t, { limits: { maxHeldBytes: 100 } });
  bed.publish({ model: 'a' });
  const body = JSON.stringify({ model: 'a', x: 'x'.repeat(50) });
  const held = net.connect(bed.port, '127.0.0.1');
  held.write(`POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await bed.held('uid-a', 1);
  const got = await ask(bed, { body });
  assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [503, 'overloaded', '1']);
  held.destroy();
  await bed.ended(2);
  assert.equal((await ask(bed, { body: JSON.stringify({ model: 'b', x: 'x'.repeat(50) }) })).status, 404);
});

test('a body that does not come in time is answered 408, and its connection ends', async (t) => {
  const bed = await startEdge(t, { limits: { bodyTimeout: milliseconds(1) } });
  const got = await exchangeRaw(bed, 'POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{');
  assert.match(got, /^HTTP\/1\.1 408 [^]*connection: close[^]*"body_too_slow"/i);
});

test('a connection without a request is closed, and others are served', async (t) => {
  const bed = await startEdge(t, { limits: { keepAliveTimeout: milliseconds(1) } });
  const idle = net.connect(bed.port, '127.0.0.1');
  idle.resume();
  idle.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'close');
  assert.equal((await ask(bed, { method: 'GET', path: '/health' })).status, 200);
});

for (const [what, text] of [
  ['two Host headers', 'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
  ['two Content-Type headers', 'GET /health HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n'],
  [
    'a list of transfer codings',
    'POST /completion HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'an empty transfer coding in a list',
    'POST /completion HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a transfer coding in HTTP/1.0',
    'POST /completion HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'a length and a transfer coding',
    'POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an absolute target', 'GET http://example.com/health HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a fragment in the target', 'GET /health#x HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no Host header', 'GET /health HTTP/1.1\r\n\r\n'],
] as const) {
  test(`${what} is 400 and the connection ends`, async (t) => {
    const bed = await startEdge(t);
    assert.match(await exchangeRaw(bed, text), /^HTTP\/1\.1 400 /);
  });
}

test('HTTP/2.0 as a request line is refused', async (t) => {
  const bed = await startEdge(t);
  assert.match(await exchangeRaw(bed, 'GET /health HTTP/2.0\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 505 /);
});

test('a request that stops half way keeps nobody else from being served', async (t) => {
  const bed = await startEdge(t);
  const slow = net.connect(bed.port, '127.0.0.1');
  slow.write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  await once(bed.edge.server, 'request');
  assert.equal((await ask(bed, { method: 'GET', path: '/health' })).status, 200);
  slow.destroy();
});

test("the list shows every model in its state, in the words of llama-server, and nobody's arguments", async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  const failure = { reason: 'it broke', logTail: ['x'], exitCode: 3, failures: 1, retryAt: 0 as never };
  bed.publish(
    { model: 'ready', aliases: ['r'], replicas: [stub.replica], holds: ['default'] },
    { model: 'unloaded' },
    { model: 'waiting', phase: { kind: 'waiting', reason: 'WaitingForCapacity', because: 'no room' } },
    { model: 'loading', phase: { kind: 'loading' } },
    { model: 'draining', phase: { kind: 'draining' } },
    { model: 'stopping', phase: { kind: 'stopping' } },
    { model: 'failed', phase: { kind: 'failed', ...failure } },
  );
  const got = await ask(bed, { method: 'GET', path: '/v1/models' });
  assert.doesNotMatch(got.text, /secret/);
  const list = JSON.parse(got.text) as { object: string; data: { id: string; status: object }[] };
  assert.deepEqual(list.data[0], {
    id: 'ready',
    aliases: ['r'],
    tags: [],
    object: 'model',
    owned_by: 'llamacpp',
    created: 1_700_000_000,
    status: { value: 'loaded', phase: 'ready' },
    source: 'preset',
  });
  const message = 'it waits for no room';
  assert.deepEqual(
    list.data.map(({ id, status }) => [id, status]),
    [
      ['ready', { value: 'loaded', phase: 'ready' }],
      ['unloaded', { value: 'unloaded', phase: 'unloaded' }],
      ['waiting', { value: 'loading', phase: 'waiting', reason: 'WaitingForCapacity', message, holders: ['ready'] }],
      ['loading', { value: 'loading', phase: 'loading' }],
      ['draining', { value: 'draining', phase: 'draining' }],
      ['stopping', { value: 'draining', phase: 'stopping' }],
      ['failed', { value: 'unloaded', failed: true, exit_code: 3, phase: 'failed', message: 'it broke' }],
    ],
  );
});

test('a reload is done when the list is answered', async (t) => {
  const bed = await startEdge(t, {
    orders: {
      reload: async () => {
        await Promise.resolve();
        bed.publish({ model: 'new' });
        return { ok: true };
      },
    },
  });
  bed.publish({ model: 'old' });
  assert.match((await ask(bed, { method: 'GET', path: '/models?reload=1' })).text, /"id":"new"/);
});

for (const path of ['/models', '/models?reload=', '/models?reloaded=1']) {
  test(`GET ${path} does not reload`, async (t) => {
    let reloads = 0;
    const bed = await startEdge(t, {
      orders: {
        reload: async () => {
          reloads += 1;
          return Promise.resolve({ ok: true });
        },
      },
    });
    assert.equal((await ask(bed, { method: 'GET', path })).status, 200);
    assert.equal(reloads, 0);
  });
}

test('a reload that fails says all that is wrong, and the table stays', async (t) => {
  const problems = ['models.ini:3: unknown key', 'models.ini:9: duplicate name'];
  const bed = await startEdge(t, { orders: { reload: async () => Promise.resolve({ ok: false, problems }) } });
  bed.publish({ model: 'a' });
  const got = await ask(bed, { method: 'GET', path: '/models?reload=1' });
  assert.equal(got.status, 500);
  for (const problem of problems) assert.ok(String(errorOf(got).get('message')).includes(problem));
  assert.match((await ask(bed, { method: 'GET', path: '/models' })).text, /"id":"a"/);
});

test('a reload that throws is 500 without a word of what it was, which is in the log', async (t) => {
  const bed = await startEdge(t, { orders: { reload: async () => Promise.reject(new Error('inner detail')) } });
  const got = await ask(bed, { method: 'GET', path: '/models?reload=1' });
  assert.equal(got.status, 500);
  assert.doesNotMatch(got.text, /inner detail/);
  assert.ok(bed.lines.some(({ level }) => level === 'error'));
});

test('orders to load and unload reach the right preset, by alias too', async (t) => {
  const given: string[] = [];
  const bed = await startEdge(t, {
    orders: {
      load: (uid) => {
        given.push(`load ${uid}`);
        return 'ordered';
      },
      unload: (uid) => {
        given.push(`unload ${uid}`);
        return 'ordered';
      },
    },
  });
  bed.publish({ model: 'a', aliases: ['alias'] });
  const recorded = '{"success":true,"outcome":"ordered"}';
  assert.equal((await ask(bed, { path: '/models/load', body: '{"model":"a"}' })).text, recorded);
  assert.equal((await ask(bed, { path: '/models/unload', body: '{"model":"alias"}' })).text, recorded);
  assert.deepEqual(given, ['load uid-a', 'unload uid-a']);
});

test('orders that make no sense are refused as llama-server refuses them', async (t) => {
  const bed = await startEdge(t, { orders: { load: () => 'needless', unload: () => 'needless' } });
  bed.publish({ model: 'a' });
  for (const [path, model, status, message] of [
    ['/models/load', 'a', 400, 'model is already running'],
    ['/models/unload', 'a', 400, 'model is not running'],
    ['/models/load', 'b', 404, 'model is not found'],
    ['/models/unload', '__proto__', 404, 'model is not found'],
  ] as const) {
    const got = await ask(bed, { path, body: chatBody(model) });
    assert.deepEqual([got.status, errorOf(got).get('message')], [status, message]);
  }
  assert.equal((await ask(bed, { path: '/models/load', body: '{"model":7}' })).status, 400);
});
