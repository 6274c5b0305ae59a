import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chatBody, exchangeRaw, startStub } from '../testing/http-kit.ts';
import { ADDED, DROPPED, DROPPED_PREFIXES, FROM_PROXIES, PASSED_ON } from './headers.ts';

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const UUID = /^[\da-f]{8}-[\da-f-]{27}$/;

/** A model whose replica keeps the heads of its requests and answers with the given one. */
async function bedWithEcho(t: TestContext, behindProxy: boolean, reply = answer('{}')) {
  const bed = await startEdge(t, behindProxy ? { isTrustedProxy: (address) => address === '127.0.0.1' } : {});
  const heads: string[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    heads.push(request.slice(0, request.indexOf('\r\n\r\n')));
    socket.write(reply, 'latin1');
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return { bed, heads, stub };
}

/** Sends header lines as they are, and resolves with the answer's head. */
async function sendLines(bed: EdgeBed, ...lines: readonly string[]): Promise<string> {
  const body = chatBody('a');
  const length = `Content-Length: ${body.length}`;
  const head = ['POST /completion HTTP/1.1', 'Host: x', length, 'Connection: close', ...lines].join('\r\n');
  const got = await exchangeRaw(bed, `${head}\r\n\r\n${body}`);
  return got.slice(0, got.indexOf('\r\n\r\n'));
}

/** The values of a header in a head, in their order. */
const valuesOf = (head: string | undefined, name: string): string[] =>
  (head ?? '')
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());

/** What a client sends, and what a replica gets of it, from anybody and by way of a trusted proxy. */
const REQUEST_ROWS: readonly [lines: string[], name: string, fromAnybody: string[], fromProxy: string[]][] = [
  ...['content-type', 'accept', 'user-agent', 'tracestate', 'anthropic-version', 'anthropic-beta'].map(
    (name): [string[], string, string[], string[]] => [[`${name}: some/thing`], name, ['some/thing'], ['some/thing']],
  ),
  [[`traceparent: ${TRACE}`], 'traceparent', [TRACE], [TRACE]],
  [[`traceparent: ${TRACE}`, `traceparent: ${TRACE}`], 'traceparent', [], []],
  [['traceparent: made-up'], 'traceparent', [], []],
  [['x-request-id: My_id-1'], 'x-request-id', ['My_id-1'], ['My_id-1']],
  [['x-forwarded-for: 1.2.3.4'], 'x-forwarded-for', [], ['1.2.3.4, 127.0.0.1']],
  [[], 'x-forwarded-for', [], ['127.0.0.1']],
  [['forwarded: for=1.2.3.4'], 'forwarded', [], ['for=1.2.3.4, for=127.0.0.1']],
  [[], 'forwarded', [], []],
  ...['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'].map(
    (name): [string[], string, string[], string[]] => [[`${name}: told`], name, [], ['told']],
  ),
  ...[
    'authorization',
    'x-api-key',
    'cookie',
    'accept-encoding',
    'keep-alive',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'upgrade',
    'http2-settings',
    'origin',
    'x-real-ip',
    'x-forwarded-user',
    'x-corral-model',
    'Content_Length',
    '__proto__',
    'x_request_id',
    'x-other',
  ].map((name): [string[], string, string[], string[]] => [[`${name}: told`], name.toLowerCase(), [], []]),
  [['Connection: accept', 'accept: some/thing'], 'accept', [], []],
  [['Connection: x, Content-Type', 'content-type: a/b'], 'content-type', [], []],
  [['Connection: host, content-length, x-request-id', 'x-request-id: mine'], 'x-request-id', ['mine'], ['mine']],
];

for (const [lines, name, fromAnybody, fromProxy] of REQUEST_ROWS) {
  for (const [who, behindProxy, expected] of [
    ['anybody', false, fromAnybody],
    ['a trusted proxy', true, fromProxy],
  ] as const) {
    test(`of ${JSON.stringify(lines)} from ${who}, a replica gets ${name} ${JSON.stringify(expected)}`, async (t) => {
      const { bed, heads, stub } = await bedWithEcho(t, behindProxy);
      assert.match(await sendLines(bed, ...lines), /^HTTP\/1\.1 200 /);
      const [seen] = heads;
      assert.deepEqual(valuesOf(seen, name), expected);
      assert.deepEqual(valuesOf(seen, 'host'), [`127.0.0.1:${stub.port}`]);
      assert.deepEqual(valuesOf(seen, 'content-length'), [String(chatBody('a').length)]);
    });
  }
}

test('each header that a replica may get has a row', () => {
  const rows = new Set(REQUEST_ROWS.filter(([, , , got]) => got.length > 0).map(([, name]) => name));
  assert.deepEqual([...rows].sort(), [...PASSED_ON, ...FROM_PROXIES, ...ADDED].sort());
});

for (const line of [
  'x-request-id: not valid!',
  `x-request-id: ${'x'.repeat(65)}`,
  'x-request-id: a\r\nx-request-id: b',
  'a: b',
]) {
  test(`with ${JSON.stringify(line.slice(0, 40))} a request gets an id of its own, and both sides are told the same`, async (t) => {
    const { bed, heads } = await bedWithEcho(t, false);
    const [given] = valuesOf(await sendLines(bed, line), 'x-request-id');
    assert.match(String(given), UUID);
    assert.deepEqual(valuesOf(heads[0], 'x-request-id'), [given]);
  });
}

test('each answer has the id of its request, errors too', async (t) => {
  const { bed } = await bedWithEcho(t, false);
  for (const [path, status] of [
    ['/completion', 200],
    ['/nothing', 404],
    ['/models/load', 200],
  ] as const) {
    const got = await ask(bed, { path, body: chatBody('a'), headers: { 'x-request-id': 'mine' } });
    assert.deepEqual([got.status, got.headers['x-request-id']], [status, 'mine']);
  }
});

/** Headers of a replica's answer, and whether its client gets them. */
const ANSWER_ROWS: readonly [line: string, name: string, passed: boolean][] = [
  ['Content-Type: text/plain', 'content-type', true],
  ['X-Two: a\r\nX-Two: b', 'x-two', true],
  ['Retry-After: 3', 'retry-after', true],
  ['Process-Time-In-Ms: 3', 'process-time-in-ms', true],
  ...[...DROPPED]
    .filter((name) => !['connection', 'transfer-encoding', 'keep-alive'].includes(name))
    .map((name): [string, string, boolean] => [`${name}: told`, name, false]),
  ['Keep-Alive: timeout=1, max=100', 'timeout=1', false],
  ...DROPPED_PREFIXES.map((prefix): [string, string, boolean] => [
    `${prefix}something: told`,
    `${prefix}something`,
    false,
  ]),
  ['Connection: keep-alive, X-Hop\r\nX-Hop: told', 'x-hop', false],
  ['X-Cyrillic: \u00d0\u0096', 'x-cyrillic', false],
];

for (const [line, name, passed] of ANSWER_ROWS) {
  test(`of ${JSON.stringify(line)} in an answer, a client gets ${passed ? 'all' : 'nothing'}`, async (t) => {
    const reply = `HTTP/1.1 201 Created\r\n${line}\r\nContent-Length: 2\r\n\r\nok`;
    const { bed } = await bedWithEcho(t, false, Buffer.from(reply, 'latin1').toString('latin1'));
    const got = await sendLines(bed, 'x-request-id: mine');
    assert.match(got, /^HTTP\/1\.1 201 /);
    const sent = valuesOf(line, name);
    const received = valuesOf(got, name);
    if (name === 'x-request-id') assert.deepEqual(received, ['mine']);
    else assert.deepEqual(received, passed ? sent : []);
    assert.ok(!got.includes('told') && !got.includes('timeout=1,'));
  });
}
