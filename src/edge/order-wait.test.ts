import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { presetUid, replicaId, type ReplicaId } from '../domain/ids.ts';
import { instant, milliseconds, minutes } from '../domain/units.ts';
import { startEdge, type BedOptions, type EdgeBed, type ModelSketch } from '../testing/edge-testbed.ts';
import { answerTo, ask, chat, chatBody, errorOf, replicaAt, send, type Got } from '../testing/http-kit.ts';
import { asksToWait } from './asks-to-wait.ts';

const A = presetUid('uid-a');
const READY = [replicaAt('r1', 1)];
const DONE = '{"success":true,"outcome":"loaded"}';
const FAILURE = { reason: 'it broke', logTail: ['last line'], exitCode: 1, failures: 1, retryAt: instant(60_000) };

const load = async (bed: EdgeBed, model = 'a'): Promise<Got> =>
  ask(bed, { path: '/models/load?wait=true', body: chatBody(model) });
const unload = async (bed: EdgeBed): Promise<Got> =>
  ask(bed, { path: '/models/unload?wait=true', body: chatBody('a') });

/** A bed with the model `a`, and the orders that were given. */
async function startOrders(
  t: TestContext,
  sketch: Omit<ModelSketch, 'model'> = {},
  orders: BedOptions['orders'] = {},
  limits: BedOptions['limits'] = {},
): Promise<EdgeBed & { readonly given: string[] }> {
  const given: string[] = [];
  const bed = await startEdge(t, {
    limits,
    orders: {
      load: (uid, waits) => {
        given.push(`load ${uid} ${waits}`);
        return 'ordered';
      },
      ...orders,
    },
  });
  bed.publish({ model: 'a', ...sketch });
  return { ...bed, given };
}

describe('POST /models/load?wait=true', () => {
  it('is answered when the model is ready, waits in its queue until then, and is no use of it', async (t) => {
    const bed = await startOrders(t);
    const answered = load(bed);
    await bed.held('uid-a', 1);
    assert.deepEqual(bed.given, [`load uid-a ${minutes(1)}`]);
    assert.equal(bed.ledger.demand(A)?.waiting, 1);
    bed.publish({ model: 'a', phase: { kind: 'loading' } });
    assert.equal(bed.ledger.demand(A)?.waiting, 1);
    bed.publish({ model: 'a', replicas: READY });
    bed.assertIdle();
    assert.deepEqual([(await answered).status, (await answered).text], [200, DONE]);
    assert.equal(bed.ledger.tally(A)?.started, 0);
    await bed.ended(1);
    assert.ok(Number(bed.records[0]?.waited) > 0, 'it has waited for the model');
  });

  it('is answered at once for a model that is ready', async (t) => {
    const bed = await startOrders(t, { replicas: READY }, { load: () => 'needless' });
    assert.equal((await load(bed)).text, DONE);
    bed.assertIdle();
  });

  it('orders also what is ready, since it may have been ordered to go and not be seen to', async (t) => {
    const bed = await startOrders(t, { replicas: READY });
    assert.equal((await load(bed)).text, DONE);
    assert.deepEqual(bed.given, [`load uid-a ${minutes(1)}`]);
    bed.assertIdle();
  });

  it('waits for a load that another has begun', async (t) => {
    const bed = await startOrders(t, { phase: { kind: 'loading' } }, { load: () => 'needless' });
    const answered = load(bed);
    await bed.held('uid-a', 1);
    bed.publish({ model: 'a', replicas: READY });
    assert.equal((await answered).text, DONE);
  });

  it('does not miss what the order itself has changed', async (t) => {
    const refusal = { kind: 'load-failed', ...FAILURE } as const;
    const bed = await startOrders(
      t,
      { refusal },
      {
        load: () => {
          bed.publish({ model: 'a', replicas: READY });
          return 'ordered';
        },
      },
    );
    assert.equal((await load(bed)).text, DONE);
    bed.assertIdle();
  });

  for (const [what, refusal, code, retryAfter] of [
    ['its load fails', { kind: 'load-failed', ...FAILURE }, 'model_load_failed', '60'],
    ['its pool is paused', { kind: 'pool-paused', pool: 'p' }, 'pool_paused', undefined],
    ['its pool goes', { kind: 'pool-not-found', pool: 'p' }, 'pool_not_found', undefined],
    ['it is too large', { kind: 'too-large', because: 'a larger pool' }, 'model_too_large', undefined],
    [
      'it is not accepted',
      { kind: 'not-accepted', reason: 'InvalidPod', message: 'x' },
      'model_not_accepted',
      undefined,
    ],
  ] as const) {
    it(`is told when ${what}`, async (t) => {
      const bed = await startOrders(t);
      const answered = load(bed);
      await bed.held('uid-a', 1);
      bed.publish({ model: 'a', refusal });
      bed.assertIdle();
      const got = await answered;
      assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [503, code, retryAfter]);
    });
  }

  it('is answered 404 in the tick in which nobody declares the model any more, also if another takes its name', async (t) => {
    const bed = await startOrders(t);
    const answered = load(bed);
    await bed.held('uid-a', 1);
    bed.publish({ model: 'a', uid: 'second-life', replicas: READY });
    bed.assertIdle();
    const got = await answered;
    assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'model_not_found']);
    assert.equal((await load(bed, 'nobody')).status, 404);
  });

  it('ends with the reason when the time for waiting is over', async (t) => {
    const phase = { kind: 'waiting', reason: 'WaitingForCapacity', because: 'room: taken by b', position: 3 } as const;
    const bed = await startOrders(t, { phase, maxWait: milliseconds(20), lastLoad: milliseconds(7001) });
    const got = await load(bed);
    assert.deepEqual(
      [got.status, errorOf(got).get('code'), got.headers['retry-after']],
      [503, 'model_wait_timeout', '8'],
    );
    assert.match(String(errorOf(got).get('message')), /room: taken by b; it is number 3/u);
    bed.assertIdle();
  });

  it('counts among those who may wait for the model: one more is told so, and orders nothing', async (t) => {
    const bed = await startOrders(t, { maxWaiting: 1 });
    const answered = load(bed);
    await bed.held('uid-a', 1);
    const orders = bed.given.length;
    for (const got of [await load(bed), await chat(bed, 'a')]) {
      assert.deepEqual([got.status, errorOf(got).get('code')], [429, 'queue_full']);
      assert.equal(errorOf(got).get('message'), '1 request waits for the model "a" already');
    }
    assert.equal(bed.given.length, orders);
    bed.publish({ model: 'a', replicas: READY });
    assert.equal((await answered).status, 200);
  });

  it('is refused, and does not wait, where one more order could not be passed on', async (t) => {
    const bed = await startOrders(t, {}, { load: () => 'too-many' });
    for (const query of ['?wait=true', '']) {
      const got = await ask(bed, { path: `/models/load${query}`, body: chatBody('a') });
      assert.deepEqual([got.status, errorOf(got).get('code'), got.headers['retry-after']], [503, 'overloaded', '1']);
    }
    bed.assertIdle();
  });

  it('gives its place back when its client leaves', async (t) => {
    const bed = await startOrders(t, {}, {}, { maxWaiting: 1 });
    const request = send(bed, { path: '/models/load?wait=true', body: chatBody('a') });
    request.on('error', () => undefined);
    await bed.held('uid-a', 1);
    request.destroy();
    await bed.ended(1);
    bed.assertIdle();
    const next = load(bed);
    await bed.held('uid-a', 1);
    bed.publish({ model: 'a', replicas: READY });
    assert.equal((await next).status, 200);
  });

  it('is answered 503 by a shutdown, at once', async (t) => {
    const bed = await startOrders(t);
    const answered = load(bed);
    await bed.held('uid-a', 1);
    const ended = bed.edge.shutdown();
    const got = await answered;
    assert.deepEqual([got.status, errorOf(got).get('code')], [503, 'shutting_down']);
    bed.assertIdle();
    await ended;
  });

  it('is answered once, and leaves nothing behind, whatever happens in whatever order', async (t) => {
    const bed = await startOrders(t);
    const tables: readonly Omit<ModelSketch, 'model'>[] = [
      {},
      { phase: { kind: 'loading' } },
      { replicas: READY },
      { refusal: { kind: 'load-failed', ...FAILURE } },
      { uid: 'another' },
    ];
    const moves = fc.array(fc.constantFrom('ask', 'leave', ...tables), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(moves, async (steps) => {
        bed.publish({ model: 'a' });
        const requests = [];
        for (const step of steps) {
          if (step === 'ask') {
            const request = send(bed, { path: '/models/load?wait=true', body: chatBody('a') });
            requests.push({ request, got: answerTo(request).catch(() => 'left' as const) });
          } else if (typeof step === 'string') requests.at(-1)?.request.destroy();
          else bed.publish({ model: 'a', ...step });
          await new Promise((resolve) => setImmediate(resolve));
        }
        // Whoever comes after the last step is answered by this one, and whoever waits too.
        bed.publish({ model: 'a', replicas: READY });
        for (const { got } of requests) {
          const answer = await got;
          assert.ok(answer === 'left' || [200, 404, 503].includes(answer.status));
        }
        assert.equal(bed.ledger.demand(A), undefined);
      }),
      { numRuns: 40 },
    );
  });
});

describe('POST /models/unload?wait=true', () => {
  /** A bed whose model has these replicas, and what tells when it was ordered to go. */
  async function startUnload(
    t: TestContext,
    first: readonly string[],
    sketch: Omit<ModelSketch, 'model'> = {},
  ): Promise<EdgeBed & { readonly ordered: Promise<void>; replicas: readonly ReplicaId[] }> {
    const given = Promise.withResolvers<undefined>();
    const orders: BedOptions['orders'] = {
      unload: () => {
        given.resolve(undefined);
        return 'ordered';
      },
      replicasOf: () => bed.replicas,
    };
    const started = await startOrders(t, { phase: { kind: 'draining' }, ...sketch }, orders);
    const bed = { ...started, ordered: given.promise, replicas: first.map(replicaId) };
    return bed;
  }

  it('is answered when the replicas that it has found are gone, and never counts as demand', async (t) => {
    const bed = await startUnload(t, ['r1', 'r2']);
    const answered = unload(bed);
    await bed.ordered;
    assert.equal(bed.ledger.demand(A), undefined);
    // The first has gone, and others have loaded the model again.
    bed.replicas = ['r2', 'r3'].map(replicaId);
    bed.publish({ model: 'a', phase: { kind: 'draining' } });
    bed.replicas = ['r3'].map(replicaId);
    bed.publish({ model: 'a', phase: { kind: 'loading' } });
    assert.deepEqual([(await answered).status, (await answered).text], [200, '{"success":true,"outcome":"unloaded"}']);
    await bed.ended(1);
    assert.equal(bed.records[0]?.waited, 0, 'it has not waited for the model');
  });

  it('is answered at once for a model that has none', async (t) => {
    const bed = await startUnload(t, []);
    assert.equal((await unload(bed)).text, '{"success":true,"outcome":"unloaded"}');
  });

  it('is answered 404 when nobody declares the model any more', async (t) => {
    const bed = await startUnload(t, ['r1']);
    const answered = unload(bed);
    await bed.ordered;
    bed.publish({ model: 'b' });
    assert.equal((await answered).status, 404);
  });

  for (const [kind, because] of [
    ['draining', /its requests have not ended$/u],
    ['stopping', /it is still being stopped$/u],
    ['ready', /nobody has begun to unload it, or others have loaded it again meanwhile$/u],
  ] as const) {
    it(`ends with the reason when the time is over while it is ${kind}`, async (t) => {
      const bed = await startUnload(t, ['r1'], { phase: { kind }, maxWait: milliseconds(20) });
      const got = await unload(bed);
      assert.deepEqual([got.status, errorOf(got).get('code')], [503, 'model_wait_timeout']);
      assert.match(String(errorOf(got).get('message')), because);
      assert.equal(got.headers['retry-after'], '5');
    });
  }

  it('counts among all who wait', async (t) => {
    const bed = await startEdge(t, {
      limits: { maxWaiting: 1 },
      orders: { replicasOf: () => [replicaId('r1')], unload: () => assert.fail('it was ordered') },
    });
    bed.publish({ model: 'a' });
    const waiting = chat(bed, 'a');
    await bed.held('uid-a', 1);
    assert.equal((await unload(bed)).status, 429);
    bed.publish();
    assert.equal((await waiting).status, 404);
  });
});

describe('whether whoever orders waits', () => {
  for (const [query, waits] of [
    ['', false],
    ['?', false],
    ['?wait=false', false],
    ['?wait=true', true],
    ['?other=1&wait=true', true],
    ['?wait=', undefined],
    ['?wait', undefined],
    ['?wait=1', undefined],
    ['?wait=maybe', undefined],
    ['?wait=true&wait=true', undefined],
  ] as const) {
    it(`is ${String(waits)} for ${JSON.stringify(query)}`, () => {
      assert.equal(asksToWait(query), waits);
    });
  }

  it('is answered 400 with what to write, and nothing is ordered, where it is not understood', async (t) => {
    const bed = await startOrders(t, {}, { unload: () => assert.fail('it was ordered') });
    for (const what of ['load', 'unload']) {
      const got = await ask(bed, { path: `/models/${what}?wait=maybe`, body: chatBody('a') });
      assert.deepEqual([got.status, errorOf(got).get('code')], [400, 'invalid_order']);
      assert.equal(
        errorOf(got).get('message'),
        `"wait" in the query is neither true nor false: ask for /models/${what}?wait=true to be answered when it is done, and without it to be answered at once`,
      );
    }
    assert.deepEqual(bed.given, []);
  });
});
