import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, ask, chatBody, errorOf, startStub, type AskOptions, type Got } from '../testing/http-kit.ts';
import { DEFAULT_CORS, type CorsPolicy } from './cors.ts';

const A = 'https://a.example';
const LOCAL = 'http://localhost:5173';

const bedWith = async (t: TestContext, cors: Partial<CorsPolicy>): Promise<EdgeBed> =>
  startEdge(t, { surface: { cors: { ...DEFAULT_CORS, ...cors } } });

/** The headers of an answer that speak of other origins, without `access-control-`. */
const corsOf = ({ headers }: Got): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (name === 'vary') return [[name, value]];
      return name.startsWith('access-control-') && !name.endsWith('expose-headers')
        ? [[name.slice('access-control-'.length), value]]
        : [];
    }),
  );

const get = async (bed: EdgeBed, origin: string | undefined): Promise<Got> =>
  ask(bed, { method: 'GET', path: '/health', headers: origin === undefined ? {} : { origin } });

const REFLECTED = (origin: string) => ({ 'allow-origin': origin, vary: 'origin' });

const MANY = { origins: [A, 'localhost'], credentials: false };

for (const [what, cors, origin, expected] of [
  ['by default, any origin is reflected', {}, A, REFLECTED(A)],
  ['by default, a page without an origin of its own is allowed', {}, 'null', REFLECTED('null')],
  ['without credentials, one answer serves all', { credentials: false }, A, { 'allow-origin': '*' }],
  ['an origin that is named is allowed', MANY, A, REFLECTED(A)],
  ['an origin that is not named is not allowed', MANY, 'https://b.example', { vary: 'origin' }],
  ['an origin on another port is not allowed', MANY, `${A}:8443`, { vary: 'origin' }],
  ['an origin by another scheme is not allowed', MANY, 'http://a.example', { vary: 'origin' }],
  ['an origin that only begins with the name is not allowed', MANY, `${A}.evil`, { vary: 'origin' }],
  ['localhost stands for each of its ports', MANY, LOCAL, REFLECTED(LOCAL)],
  ['localhost is 127.0.0.1 too', MANY, 'http://127.0.0.1:1', REFLECTED('http://127.0.0.1:1')],
  ['localhost is ::1 too', MANY, 'https://[::1]', REFLECTED('https://[::1]')],
  ['localhost is not a name that begins with it', MANY, 'http://localhost.evil', { vary: 'origin' }],
  ['localhost is not a name that ends with it', MANY, 'http://evil-localhost', { vary: 'origin' }],
  ['an origin that is none is not allowed', MANY, 'localhost', { vary: 'origin' }],
  ['this machine is not allowed unless it is named', { origins: [A], credentials: false }, LOCAL, { vary: 'origin' }],
  [
    'with credentials, the answer to a named origin says so',
    { origins: [A] },
    A,
    { ...REFLECTED(A), 'allow-credentials': 'true' },
  ],
  ['with credentials, the answer to another origin says nothing', { origins: [A] }, LOCAL, { vary: 'origin' }],
  ['a request without an origin gets nothing of this', {}, undefined, {}],
] as const) {
  test(what, async (t) => {
    assert.deepEqual(corsOf(await get(await bedWith(t, cors), origin)), expected);
  });
}

describe('a preflight', () => {
  const preflight = async (bed: EdgeBed, path: string, headers: Record<string, string>): Promise<Got> =>
    ask(bed, { method: 'OPTIONS', path, headers: { 'access-control-request-method': 'POST', ...headers } });

  test('is answered with the defaults of llama-server', async (t) => {
    const got = await preflight(await startEdge(t), '/v1/chat/completions', { origin: A });
    assert.equal(got.status, 204);
    assert.deepEqual(corsOf(got), {
      ...REFLECTED(A),
      'allow-methods': 'GET, POST, DELETE, OPTIONS',
      'allow-headers': '*',
      'allow-credentials': 'true',
    });
  });

  test('gets the headers that it asks for, since browsers do not count authorization among all', async (t) => {
    const asked = { origin: A, 'access-control-request-headers': 'authorization, content-type,x-api-key' };
    const got = await preflight(await startEdge(t), '/v1/chat/completions', asked);
    assert.equal(got.headers['access-control-allow-headers'], 'authorization, content-type,x-api-key');
  });

  for (const odd of ['a b', 'x;y', '<script>', ',']) {
    test(`gets nothing back that is no name of a header: ${odd}`, async (t) => {
      const asked = { origin: A, 'access-control-request-headers': odd };
      const got = await preflight(await startEdge(t), '/v1/chat/completions', asked);
      assert.equal(got.headers['access-control-allow-headers'], '*');
    });
  }

  test('is answered as the flags say', async (t) => {
    const bed = await bedWith(t, { origins: [A], methods: 'POST', headers: 'authorization', credentials: false });
    const asked = { origin: A, 'access-control-request-headers': 'x-evil' };
    assert.deepEqual(corsOf(await preflight(bed, '/completion', asked)), {
      ...REFLECTED(A),
      'allow-methods': 'POST',
      'allow-headers': 'authorization',
    });
  });

  test('reaches no model, and is 404 where nothing is', async (t) => {
    const bed = await startEdge(t);
    let reached = 0;
    const stub = await startStub(t, 'r1', () => (reached += 1));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    assert.equal((await preflight(bed, '/v1/chat/completions', { origin: A })).status, 204);
    const missing = await preflight(bed, '/tools', { origin: A });
    assert.deepEqual([missing.status, missing.headers['access-control-allow-origin']], [404, A]);
    assert.equal(reached, 0);
  });
});

for (const [what, options] of [
  ['nothing is there', { path: '/nothing' }],
  ['the method is wrong', { method: 'GET' }],
  ['the body is wrong', { body: '[]' }],
  ['the model is unknown', { body: chatBody('b') }],
  ['the target is no path', { path: 'http://x/health' }],
] as const) {
  test(`an error can be read by the page too: ${what}`, async (t) => {
    const got = await ask(await startEdge(t), { ...options, headers: { origin: A } });
    assert.ok(got.status >= 400);
    assert.deepEqual(corsOf(got), REFLECTED(A));
  });
}

test("a model's answer has Corral's headers, and not those of its llama-server", async (t) => {
  const bed = await bedWith(t, { origins: [A], credentials: false });
  const stub = await startStub(t, 'r1', (_request, socket) => {
    const theirs = 'Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nX-Theirs: kept\r\n';
    socket.write(answer('{}').replace('\r\n', `\r\n${theirs}`));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await ask(bed, { body: chatBody('a'), headers: { origin: A } });
  assert.deepEqual([got.status, got.text, got.headers['x-theirs']], [200, '{}', 'kept']);
  assert.deepEqual(corsOf(got), REFLECTED(A));
  assert.match(String(got.headers['access-control-expose-headers']), /x-request-id/u);
  const other = await ask(bed, { body: chatBody('a'), headers: { origin: LOCAL } });
  assert.deepEqual([other.status, corsOf(other)], [403, { vary: 'origin' }]);
});

/** A bed that lists its origins, whose model is loaded, with all that was done for anybody. */
async function listedBed(t: TestContext, origins: CorsPolicy['origins']) {
  const done: string[] = [];
  const note = (what: string) => (): 'ordered' => {
    done.push(what);
    return 'ordered';
  };
  const reload = async (): Promise<{ ok: true }> => {
    done.push('reload');
    return Promise.resolve({ ok: true });
  };
  const bed = await startEdge(t, {
    surface: { cors: { ...DEFAULT_CORS, origins } },
    orders: { reload, load: note('load'), unload: note('unload') },
  });
  const stub = await startStub(t, 'r1', (_request, socket) => {
    done.push('chat');
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return { bed, done };
}

const EVIL = 'https://evil.example';
const TEXT = { 'content-type': 'text/plain;charset=UTF-8' };

/** What is asked, and what is done for it where it may be. */
const DEEDS: readonly [deed: string, options: AskOptions][] = [
  ['load', { path: '/models/load', body: chatBody('a') }],
  ['unload', { path: '/models/unload', body: chatBody('a') }],
  ['chat', { path: '/v1/chat/completions', body: chatBody('a') }],
  ['reload', { method: 'GET', path: '/models?reload=1' }],
];

for (const [who, headers] of [
  ['a page of another origin, without a preflight', { origin: EVIL, 'sec-fetch-site': 'cross-site', ...TEXT }],
  ['a page in a sandbox', { origin: 'null', ...TEXT }],
  ['a page whose own name was led here', { host: 'evil.example', origin: EVIL, 'sec-fetch-site': 'same-origin' }],
  ['an image or a link of another site', { 'sec-fetch-site': 'cross-site' }],
  ['the same of another host of the same site', { 'sec-fetch-site': 'same-site' }],
  ['a browser that says something new', { 'sec-fetch-site': 'elsewhere' }],
] as const) {
  test(`where origins are listed, nothing is done for ${who}`, async (t) => {
    const { bed, done } = await listedBed(t, [A, 'localhost']);
    const more: AskOptions[] = [{ method: 'GET', path: '/health' }, { path: '/nothing' }, { method: 'PUT' }];
    for (const options of [...DEEDS.map(([, deed]) => deed), ...more]) {
      const got = await ask(bed, { ...options, headers });
      assert.deepEqual([got.status, errorOf(got).get('code')], [403, 'origin_not_allowed']);
      assert.equal(got.headers['access-control-allow-origin'], undefined);
    }
    assert.deepEqual(done, []);
    await bed.ended(7);
    assert.deepEqual([...new Set(bed.records.map(({ code }) => code))], ['origin_not_allowed']);
  });
}

for (const [who, origins, headers] of [
  ['a program that is no browser', [A], {}],
  ['a page that is listed', [A], { origin: A, 'sec-fetch-site': 'cross-site' }],
  ['a page of this machine', ['localhost'], { origin: LOCAL, 'sec-fetch-site': 'same-site' }],
  ['a user', [A], { 'sec-fetch-site': 'none' }],
  ['a page that says no origin, since it is of this one', [A], { 'sec-fetch-site': 'same-origin' }],
  ['any page where none are listed', '*', { origin: EVIL, 'sec-fetch-site': 'cross-site' }],
  ['anything else where none are listed', '*', { 'sec-fetch-site': 'cross-site' }],
] as const) {
  test(`everything is done for ${who}`, async (t) => {
    const { bed, done } = await listedBed(t, origins);
    for (const [, deed] of DEEDS) assert.equal((await ask(bed, { ...deed, headers })).status, 200);
    assert.deepEqual(
      done,
      DEEDS.map(([deed]) => deed),
    );
  });
}

test('the preflight of a page that is not listed is answered, and says that it may not', async (t) => {
  const { bed } = await listedBed(t, [A]);
  const got = await ask(bed, { method: 'OPTIONS', headers: { origin: EVIL, 'sec-fetch-site': 'cross-site' } });
  assert.deepEqual([got.status, got.headers['access-control-allow-origin']], [204, undefined]);
});
