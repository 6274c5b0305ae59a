import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import { presetUid } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { anApiKey, bearer } from '../testing/api-keys.ts';
import { startEdge, type BedOptions, type EdgeBed } from '../testing/edge-testbed.ts';
import {
  answer,
  ask,
  chatBody,
  errorOf,
  exchangeRaw,
  startStub,
  type AskOptions,
  type Got,
} from '../testing/http-kit.ts';
import { KeyRing } from './key-ring.ts';

/** An administrator's key, two tenants', one that may only look after models, and one with a limit. */
const newRing = (): KeyRing =>
  new KeyRing([
    anApiKey('admin'),
    anApiKey('tenant-a', { models: ['a', 'a-*'], operations: ['infer', 'models:manage'] }),
    anApiKey('tenant-b', { models: ['b'], operations: ['infer'] }),
    anApiKey('keeper', { operations: ['models:manage'] }),
    anApiKey('narrow', { maxInFlight: 2 }),
  ]);

const bedWithKeys = async (t: TestContext, options: BedOptions = {}): Promise<EdgeBed> =>
  startEdge(t, { keys: newRing(), ...options });

const chatWith = async (bed: EdgeBed, key: string, model = 'a'): Promise<Got> =>
  ask(bed, { headers: bearer(key), body: chatBody(model) });

const codeOf = (got: Got): unknown => errorOf(got).get('code');

/** One of each kind of request that is not public, and some for what is not there. */
const REQUESTS: readonly AskOptions[] = [
  { method: 'GET', path: '/v1/models' },
  { method: 'HEAD', path: '/v1/models' },
  { method: 'GET', path: '/v1/models/a' },
  { method: 'GET', path: '/models?reload=1' },
  { method: 'GET', path: '/slots?model=a' },
  { method: 'GET', path: '/models/plan?model=a' },
  { path: '/v1/chat/completions', body: chatBody('a') },
  { path: '/v1/messages', body: chatBody('a') },
  { path: '/models/load', body: chatBody('a') },
  { path: '/models/unload', body: chatBody('a') },
  { path: '/nothing/here', body: chatBody('a') },
  { method: 'DELETE', path: '/v1/models' },
];

describe('an edge with keys', () => {
  for (const path of ['/health', '/v1/health']) {
    it(`answers GET ${path} to everybody`, async (t) => {
      const bed = await bedWithKeys(t);
      for (const headers of [{}, bearer('wrong')]) {
        assert.equal((await ask(bed, { method: 'GET', path, headers })).status, 200);
      }
    });
  }

  for (const request of REQUESTS) {
    it(`refuses ${request.method ?? 'POST'} ${String(request.path)} without a key and with a wrong one alike`, async (t) => {
      const bed = await bedWithKeys(t, {
        orders: { load: () => assert.fail(), unload: () => assert.fail(), reload: () => assert.fail() },
        planOf: () => assert.fail(),
      });
      const stub = await startStub(t, 'r1', () => assert.fail('it reached a model'));
      bed.publish({ model: 'a', replicas: [stub.replica] });
      const tries = [{}, bearer('wrong'), bearer(''), { authorization: 'tenant-a' }, { 'x-api-key': 'wrong' }];
      const answers = [];
      for (const headers of tries) {
        const { status, text, headers: given } = await ask(bed, { ...request, headers });
        answers.push({ status, text, given: { ...given, date: '', 'x-request-id': '' } });
      }
      for (const one of answers) assert.deepEqual(one, answers[0]);
      const [first] = answers;
      assert.ok(first !== undefined);
      assert.equal(first.status, 401);
      assert.equal(first.given['www-authenticate'], 'Bearer');
      if (request.method === 'HEAD') return;
      const { error } = JSON.parse(first.text) as { error: Record<string, unknown> };
      assert.deepEqual([error['code'], error['type']], ['invalid_api_key', 'authentication_error']);
      bed.assertIdle();
    });
  }

  for (const headers of [bearer('admin'), { authorization: 'bEaReR  admin' }, { 'x-api-key': 'admin' }]) {
    it(`lets in who sends ${JSON.stringify(headers)}, sends no key on, and logs its id only`, async (t) => {
      const bed = await bedWithKeys(t);
      let seen = '';
      const stub = await startStub(t, 'r1', (request, socket) => {
        seen = request.toLowerCase();
        socket.write(answer('{}'));
      });
      bed.publish({ model: 'a', replicas: [stub.replica] });
      assert.equal((await ask(bed, { headers, body: chatBody('a') })).status, 200);
      assert.doesNotMatch(seen, /admin|authorization|x-api-key/u);
      await bed.ended(1);
      const fields = bed.lines.at(-1)?.fields;
      assert.ok(fields !== undefined);
      assert.equal(fields.get('keyId'), 'id-of-admin');
      assert.ok(![...fields.values()].includes('admin'));
    });
  }

  it('tells everybody which methods there are, since browsers ask that without a key', async (t) => {
    const bed = await bedWithKeys(t);
    const got = await ask(bed, { method: 'OPTIONS', path: '/v1/chat/completions' });
    assert.ok(got.status < 300, String(got.status));
    assert.equal((await ask(bed, { method: 'OPTIONS', path: '/nothing/here' })).status, 401);
  });

  it('chooses no key where there are two', async (t) => {
    const bed = await bedWithKeys(t);
    bed.publish({ model: 'a' });
    const got = await ask(bed, { headers: { ...bearer('admin'), 'x-api-key': 'tenant-a' }, body: chatBody('a') });
    assert.deepEqual([got.status, codeOf(got)], [400, 'bad_request']);
    assert.doesNotMatch(got.text, /admin|tenant/u);
  });

  it('tells who has a key what is not there, and what is there for other methods', async (t) => {
    const bed = await bedWithKeys(t);
    const headers = bearer('tenant-b');
    assert.equal((await ask(bed, { path: '/nothing/here', headers, body: '{}' })).status, 404);
    assert.equal((await ask(bed, { method: 'DELETE', path: '/v1/models', headers })).status, 405);
  });

  const MANAGING: readonly AskOptions[] = [
    { path: '/models/load', body: chatBody('b') },
    { path: '/models/unload', body: chatBody('b') },
    { method: 'GET', path: '/models?reload=1' },
    { method: 'GET', path: '/models/plan?model=b' },
  ];
  for (const request of MANAGING) {
    it(`does not let a key for inference ${request.method ?? 'POST'} ${String(request.path)}`, async (t) => {
      const bed = await bedWithKeys(t, {
        orders: { load: () => assert.fail(), unload: () => assert.fail(), reload: () => assert.fail() },
        planOf: () => assert.fail(),
      });
      bed.publish({ model: 'b' });
      const got = await ask(bed, { ...request, headers: bearer('tenant-b') });
      assert.deepEqual([got.status, codeOf(got)], [403, 'permission_denied']);
      assert.equal(errorOf(got).get('type'), 'permission_error');
      assert.match(String(errorOf(got).get('message')), /models:manage/u);
    });

    it(`lets a key that manages models ${request.method ?? 'POST'} ${String(request.path)}`, async (t) => {
      const plan: ModelPlan = { model: 'b', pool: 'default', outcome: 'ready', message: 'it is ready' };
      const bed = await bedWithKeys(t, { planOf: () => plan });
      bed.publish({ model: 'b' });
      assert.equal((await ask(bed, { ...request, headers: bearer('keeper') })).status, 200);
    });
  }

  it('does not let a key that manages models ask them', async (t) => {
    const bed = await bedWithKeys(t);
    bed.publish({ model: 'a' });
    const got = await chatWith(bed, 'keeper');
    assert.deepEqual([got.status, codeOf(got)], [403, 'permission_denied']);
    bed.assertIdle();
  });

  it('lets a key that was revoked ask nothing more, and what it has asked before go on', async (t) => {
    const keys = newRing();
    const bed = await startEdge(t, { keys });
    const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{"ok":1}')));
    bed.publish({ model: 'a' });
    const waiting = chatWith(bed, 'tenant-a');
    await bed.held('uid-a', 1);
    keys.replace([anApiKey('tenant-b', { models: ['b'] })]);
    assert.equal((await chatWith(bed, 'tenant-a')).status, 401);
    bed.publish({ model: 'a', replicas: [stub.replica] });
    assert.deepEqual((await waiting).text, '{"ok":1}');
    await bed.ended(2);
    assert.equal(keys.underWay('id-of-tenant-a'), 0);
  });
});

/** A request as raw bytes; `hidden` is a declared model, and `absent` none, of the same length. */
interface Twin {
  readonly what: string;
  readonly request: (name: string) => string;
}

const get = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tenant-a\r\nConnection: close\r\n\r\n`;

const post = (path: string, name: string): string => {
  const body = chatBody(name);
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tenant-a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

const TWINS: readonly Twin[] = [
  { what: 'a chat', request: (name) => post('/v1/chat/completions', name) },
  { what: 'an embedding', request: (name) => post('/v1/embeddings', name) },
  { what: 'a message', request: (name) => post('/v1/messages', name) },
  { what: 'a load', request: (name) => post('/models/load', name) },
  { what: 'an unload', request: (name) => post('/models/unload', name) },
  { what: 'an awaited load', request: (name) => post('/models/load?wait=true', name) },
  { what: 'an awaited unload', request: (name) => post('/models/unload?wait=true', name) },
  { what: 'a look at slots', request: (name) => get(`/slots?model=${name}`) },
  { what: 'a look at the model', request: (name) => get(`/v1/models/${name}`) },
  { what: 'a plan', request: (name) => get(`/models/plan?model=${name}`) },
];

describe('a model that a key may not use', () => {
  for (const { what, request } of TWINS) {
    it(`looks to ${what} like one that does not exist, byte for byte, by its name and by its alias`, async (t) => {
      const bed = await bedWithKeys(t, {
        orders: { load: () => assert.fail(), unload: () => assert.fail() },
        planOf: () => assert.fail(),
      });
      const stub = await startStub(t, 'r1', () => assert.fail('it reached the model'));
      bed.publish({ model: 'a' }, { model: 'hidden', aliases: ['hushed'], replicas: [stub.replica] });
      const got = [];
      for (const name of ['absent', 'hidden', 'hushed']) {
        const text = await exchangeRaw(bed, request(name));
        got.push(text.replaceAll(name, 'NAME').replaceAll(/^(date|x-request-id): .*$/gimu, '$1: ...'));
      }
      assert.match(String(got[0]), /^HTTP\/1\.1 404 /u);
      assert.deepEqual([got[1], got[2]], [got[0], got[0]]);
      await bed.ended(3);
      for (const { fields } of bed.lines) assert.equal(fields.get('model'), undefined);
      bed.assertIdle();
    });
  }

  it('is in no list of that key, and those that it may use are in it, whatever their aliases are', async (t) => {
    const bed = await bedWithKeys(t);
    bed.publish({ model: 'a' }, { model: 'a-2', aliases: ['b'] }, { model: 'b2', aliases: ['a-3'] });
    for (const path of ['/models', '/v1/models', '/models?reload=1']) {
      const { text } = await ask(bed, { method: 'GET', path, headers: bearer('tenant-a') });
      const { data } = JSON.parse(text) as { data: { id: string }[] };
      assert.deepEqual(
        data.map(({ id }) => id),
        ['a', 'a-2'],
      );
    }
  });

  it('is named by an alias only to who may use the model itself', async (t) => {
    const bed = await bedWithKeys(t);
    const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
    bed.publish({ model: 'a', aliases: ['alias'], replicas: [stub.replica] }, { model: 'b', aliases: ['a-4'] });
    assert.equal((await chatWith(bed, 'tenant-a', 'alias')).status, 200);
    assert.equal((await chatWith(bed, 'tenant-a', 'a-4')).status, 404);
  });

  it('is not named in the list as one for which others wait or leave, or that holds their room', async (t) => {
    const bed = await bedWithKeys(t);
    bed.publish(
      { model: 'a', phase: { kind: 'waiting', reason: 'HigherPriority', because: 'room: in use by hidden' } },
      { model: 'a-2', phase: { kind: 'stopping', cause: { kind: 'evicted', beneficiary: presetUid('uid-hidden') } } },
      { model: 'a-3', holds: ['default'] },
      { model: 'hidden', holds: ['default'] },
    );
    for (const path of ['/models', '/v1/models/a', '/v1/models/a-2']) {
      const seen = await ask(bed, { method: 'GET', path, headers: bearer('tenant-a') });
      assert.deepEqual([seen.status, seen.text.includes('hidden')], [200, false], seen.text);
    }
    const shown = await ask(bed, { method: 'GET', path: '/v1/models/a', headers: bearer('tenant-a') });
    assert.match(shown.text, /"holders":\["a-3"\]/u);
    assert.match((await ask(bed, { method: 'GET', path: '/models', headers: bearer('admin') })).text, /hidden/u);
  });

  it('is not named in a plan', async (t) => {
    const seen: boolean[] = [];
    const plan: ModelPlan = { model: 'a', pool: 'default', outcome: 'ready', message: 'it is ready' };
    const bed = await bedWithKeys(t, {
      planOf: (_route, sight) => {
        seen.push(sight.seesAll, sight.sees('a-2'), sight.sees('hidden'));
        return plan;
      },
    });
    bed.publish({ model: 'a' });
    for (const key of ['tenant-a', 'admin']) {
      await ask(bed, { method: 'GET', path: '/models/plan?model=a', headers: bearer(key) });
    }
    assert.deepEqual(seen, [false, true, false, true, true, true]);
  });

  it('is not named by a reload that has failed', async (t) => {
    const reload = async () => Promise.resolve({ ok: false, problems: ['hidden is wrong'] } as const);
    const bed = await bedWithKeys(t, { orders: { reload } });
    const path = '/models?reload=1';
    const tenant = await ask(bed, { method: 'GET', path, headers: bearer('tenant-a') });
    assert.deepEqual([tenant.status, codeOf(tenant)], [500, 'reload_failed']);
    assert.doesNotMatch(tenant.text, /hidden/u);
    assert.match((await ask(bed, { method: 'GET', path, headers: bearer('admin') })).text, /hidden is wrong/u);
  });

  for (const [reason, because, told] of [
    ['WaitingForCapacity', 'room: taken by hidden, in use', 'room: taken by other models'],
    ['WaitingForDrain', 'hidden to finish', 'room: taken by other models'],
    ['Reserved', 'room: kept for hidden', 'room: taken by other models'],
    ['HigherPriority', 'room: in use by hidden', 'room: taken by other models'],
    ['MinResidency', 'room: nothing is old enough', 'room: nothing is old enough'],
    ['Unschedulable', 'a place: no node has room', 'a place: no node has room'],
  ] as const) {
    it(`is not named to those who have waited in vain for ${reason}`, async (t) => {
      const bed = await bedWithKeys(t);
      const phase = { kind: 'waiting', reason, because, position: 2 } as const;
      bed.publish({ model: 'a', phase, maxWait: milliseconds(1) });
      const place = '; it is number 2 in the queue of its pool';
      for (const [key, words] of [
        ['tenant-a', told],
        ['admin', because],
      ] as const) {
        const got = await chatWith(bed, key);
        assert.deepEqual([got.status, codeOf(got)], [503, 'model_wait_timeout']);
        assert.ok(String(errorOf(got).get('message')).endsWith(`it waits for ${words}${place}`), got.text);
      }
    });
  }
});

describe('a key that may have two requests at once', () => {
  it('is refused a third, whatever it asks for, until one has ended', async (t) => {
    const keys = newRing();
    const bed = await startEdge(t, { keys });
    const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
    bed.publish({ model: 'a' });
    const waiting = [chatWith(bed, 'narrow'), chatWith(bed, 'narrow')];
    await bed.held('uid-a', 2);
    for (const request of [{ body: chatBody('a') }, { method: 'GET', path: '/v1/models' }]) {
      const third = await ask(bed, { ...request, headers: bearer('narrow') });
      assert.deepEqual([third.status, codeOf(third)], [429, 'key_concurrency_limit']);
      assert.equal(errorOf(third).get('type'), 'rate_limit_error');
      assert.equal(third.headers['retry-after'], '1');
    }
    assert.equal((await ask(bed, { method: 'GET', path: '/v1/models', headers: bearer('admin') })).status, 200);
    assert.equal(keys.underWay('id-of-narrow'), 2);
    bed.publish({ model: 'a', replicas: [stub.replica] });
    for (const got of await Promise.all(waiting)) assert.equal(got.status, 200);
    await bed.ended(5);
    assert.equal(keys.underWay('id-of-narrow'), 0);
    assert.equal((await chatWith(bed, 'narrow')).status, 200);
  });
});

test('without keys everybody is let in, and what looks like a key is not looked at', async (t) => {
  const bed = await startEdge(t);
  for (const headers of [{}, bearer('any'), { ...bearer('one'), 'x-api-key': 'another' }]) {
    const got = await ask(bed, { method: 'GET', path: '/models?reload=1', headers });
    assert.equal(got.status, 200);
  }
});
