import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, chatBody, exchangeRaw, startStub } from '../testing/http-kit.ts';
import { ENDPOINTS, pathText } from './endpoints.ts';

/** A request target and its method, as they stand in the request line. */
type Attempted = readonly [method: string, target: string];

const BODY = chatBody('a');

/** An edge with one loaded model, and how many requests have reached it. */
async function bedOf(t: TestContext): Promise<{ readonly bed: EdgeBed; readonly reached: () => number }> {
  const bed = await startEdge(t);
  let reached = 0;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    reached += 1;
    socket.end(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return { bed, reached: () => reached };
}

/** The status that a target gets. 0: the connection ended without a word. */
async function statusOf(bed: EdgeBed, [method, target]: Attempted): Promise<number> {
  const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
  const rest = method === 'GET' ? '\r\n' : `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
  return Number(/^HTTP\/1\.1 (\d+)/u.exec(await exchangeRaw(bed, head + rest))?.[1] ?? 0);
}

/** Those of the targets that got another status than is allowed. */
async function notAmong(bed: EdgeBed, statuses: readonly number[], all: readonly Attempted[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const attempted of all) {
    const status = await statusOf(bed, attempted);
    if (!statuses.includes(status)) wrong.push(`${attempted.join(' ').slice(0, 80)}: ${status}`);
  }
  return wrong;
}

const percent = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** A text with one thing put in the place of each of its slashes in turn, and of all of them. */
function slashesAs(path: string, put: string): string[] {
  const parts = path.split('/');
  const one = parts.slice(1).map((_, index) => {
    const [left, right] = [parts.slice(0, index + 1).join('/'), parts.slice(index + 1).join('/')];
    return `${left}${put}${right}`;
  });
  return [...one, parts.join(put)];
}

/** What a proxy, a file server or a framework might take for the path, and the edge must not. */
function variantsOf(path: string): string[] {
  const [, first = '', ...rest] = path.split('/');
  const behind = ['', ...rest].join('/');
  return [
    ...['//', '/./', '/%2e/', '/x/../', '/x/%2e%2e/', '/%2F', '%2F', '%2f', '%252f', '\\', '%5c', '/;/', ';x/'].flatMap(
      (put) => slashesAs(path, put),
    ),
    ...['%c0%af', '%e0%80%af', '%ef%bc%8f', '\u00a0', '\u0001'].flatMap((put) => slashesAs(path, put)),
    ...[
      '/',
      '//',
      '.',
      '/.',
      '/..',
      '..',
      '%2e',
      '%20',
      '%00',
      '%0a',
      '%09',
      ';',
      ';x',
      ';x=1',
      '\\',
      '\t',
      '%3F',
      '%23',
    ].map((tail) => path + tail),
    ...['.json', '.php', '~', '*', '|', ',', ':', '%', '%zz', '%u002f', '&model=a', '%3Fmodel=a', '#', '#x'].map(
      (tail) => path + tail,
    ),
    ...['.', '..', '.;', '%2e%2e', '%252e%252e', 'v1', 'v2', 'V1', 'api', 'api/v1', 'upstream/a', 'secret'].map(
      (head) => `/${head}${path}`,
    ),
    path.toUpperCase(),
    path.slice(1),
    `/${first.toUpperCase()}${behind}`,
    `/${percent(first)}${behind}`,
    percent(path),
    `/%${path.slice(1)}`,
    `/${'x'.repeat(8000)}${path}`,
    `${path}${'/'.repeat(8000)}`,
    `/${'../'.repeat(1000)}${path.slice(1)}`,
    `/?${path}`,
    `?${path}`,
    `/x?/../..${path}`,
    `/secret?${path}`,
    `http://x${path}`,
    `HTTP://127.0.0.1${path}`,
    `http:${path}`,
    `//x${path}`,
    `x:80${path}`,
    `*${path}`,
  ];
}

const FIXED = ENDPOINTS.filter(({ closed }) => closed === undefined).flatMap(({ method, paths }) =>
  paths.flatMap((path) => (typeof path === 'string' ? [[method, path] as const] : [])),
);
const OPEN = new Set(FIXED.map(([, path]) => path));

const SPELLED = (
  [
    ['POST', '/v1/chat/completions'],
    ['POST', '/completion'],
    ['POST', '/v1/audio/transcriptions'],
    ['GET', '/slots'],
  ] as const
).map(([method, path]) => {
  const variants = [...new Set(variantsOf(path))].filter((variant) => !OPEN.has(variant));
  const query = method === 'GET' ? '?model=a' : '';
  return { path, attempts: variants.map((variant) => [method, variant + query] as const) };
});

test('the other spellings are many', () => {
  assert.ok(SPELLED.flatMap(({ attempts }) => attempts).length >= 400);
});

for (const { path, attempts } of SPELLED) {
  test(`no other spelling of ${path} is anything, and none reaches a model`, async (t) => {
    const { bed, reached } = await bedOf(t);
    assert.deepEqual(await notAmong(bed, [400, 404], attempts), []);
    assert.equal(reached(), 0);
  });
}

/** All that llama-server answers besides, as its server.cpp registers it, and what its router, its forks and others have. */
const ELSEWHERE: readonly Attempted[] = [
  ...['/slots/0', '/slots/0?action=save', '/slots/0?action=erase&model=a', '/slots/x', '/slots/'],
  ...['/lora-adapters', '/lora-adapters?model=a', '/props', '/props?model=a', '/metrics', '/metrics?model=a'],
  ...['/cors-proxy', '/cors-proxy?url=http://127.0.0.1/', '/tools', '/v1/tools', '/mcp', '/predict', '/rpc'],
  ...['/v1/stream', '/v1/stream/1', '/v1/stream?conv_id=1', '/v1/streams', '/v1/streams/lookup', '/v1/streams/1'],
  ...['/v1/chat/completions/control', '/chat/completions/control', '/v1/chat/completions/1', '/v1/responses/1'],
  ...['/models/sse', '/models/a', '/models/', '/models/load/a', '/v1/models/', '/v1/models/load%', '/v1/slots'],
  ...['/v1/tokenize', '/v1/detokenize', '/v1/apply-template', '/v1/infill', '/v1/completion', '/v1/embedding'],
  ...['/messages', '/messages/count_tokens', '/v1/files', '/v1/batches', '/v1/images/generations', '/v1/realtime'],
  ...['/v1/audio/speech', '/v1/audio/translations', '/v1/moderations', '/v1/fine_tuning/jobs', '/v1/assistants'],
  ...['/api/chat', '/api/generate', '/api/tags', '/api/show', '/upstream/a/slots', '/running', '/unload', '/logs'],
  ...['/', '/index.html', '/bundle.js', '/favicon.ico', '/loading.html', '/.env', '/.git/config', '/openapi.json'],
  ...['/livez', '/readyz', '/healthz', '/debug/pprof', '/status', '/server-status', '/.well-known/security.txt'],
].flatMap((target) => ['GET', 'POST', 'DELETE'].map((method) => [method, target] as const));

test('what llama-server and others answer besides is not there, and reaches no model', async (t) => {
  const { bed, reached } = await bedOf(t);
  assert.ok(ELSEWHERE.length >= 150);
  assert.deepEqual(await notAmong(bed, [400, 404, 405], ELSEWHERE), []);
  assert.equal(reached(), 0);
});

describe('a method that an endpoint does not have', () => {
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'LOCK', 'PURGE', 'QUERY'];
  test('is 405 and reaches no model', async (t) => {
    const { bed, reached } = await bedOf(t);
    const wrong = FIXED.flatMap(([own, path]) =>
      others.filter((method) => method !== own).map((method) => [method, `${path}?model=a`] as const),
    );
    assert.deepEqual(await notAmong(bed, [405], wrong), []);
    assert.equal(reached(), 0);
  });
  test('reaches no model in any other spelling either', async (t) => {
    const { bed, reached } = await bedOf(t);
    const spelled = ['post', 'Post', 'POSTS', 'PO ST', 'POST\t', '_POST', 'CONNECT', 'PRI', '', 'X'];
    const wrong = spelled.map((method) => [method, '/completion'] as const);
    assert.deepEqual(await notAmong(bed, [0, 400, 405, 505], wrong), []);
    assert.equal(reached(), 0);
  });
});

test('what is there reaches the model, so that the counts above count something', async (t) => {
  const { bed, reached } = await bedOf(t);
  const forwarded = ENDPOINTS.filter(({ handling, model, closed }) => {
    return handling === 'forward' && model === 'json' && closed === undefined;
  }).flatMap(({ method, paths }) => paths.map((path) => [method, pathText(path)] as const));
  assert.deepEqual(await notAmong(bed, [200], forwarded), []);
  assert.equal(reached(), forwarded.length);
});
