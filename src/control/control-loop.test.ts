import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelName, presetUid, replicaId } from '../domain/ids.ts';
import { WHOLE_POOL } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { minutes, seconds } from '../domain/units.ts';
import type { Route } from '../routing/route.ts';
import type { FakeClient } from '../testing/fake-client.ts';
import { FakeCorral } from '../testing/fake-corral.ts';
import { aPool, aPreset, scaled } from '../testing/worlds.ts';

const a = aPreset('a');
const b = aPreset('b');

function corralWith(presets: readonly Preset[], maxLoaded = 1): FakeCorral {
  const corral = new FakeCorral();
  corral.control.setCatalog({ pools: [aPool({ maxLoaded })], presets });
  return corral;
}

const routeOf = ({ board }: FakeCorral, preset: Preset): Route => {
  const route = board.read().find(preset.model);
  assert.ok(route !== undefined, `${preset.model} is declared`);
  return route;
};

async function load(corral: FakeCorral, id: string): Promise<void> {
  corral.backend.makeReady(replicaId(id));
  await corral.settle();
}

async function goes(corral: FakeCorral, id: string): Promise<void> {
  corral.backend.makeGone(replicaId(id));
  await corral.settle();
}

describe('a request', () => {
  it('loads its model, and is served in the tick in which it is ready', async () => {
    const corral = corralWith([a, b]);
    const client = corral.request(a.model);
    await corral.settle();
    assert.deepEqual(corral.backend.history, ['start a']);
    assert.equal(routeOf(corral, a).phase.kind, 'loading');
    await load(corral, 'a#1');
    assert.equal(client.state.kind, 'streaming');
    assert.equal(routeOf(corral, a).phase.kind, 'ready');
  });
  it('plans nothing where it is within what the replicas are for, also of a model that may have several', async () => {
    const corral = corralWith([scaled(a, { maxReplicas: 2, targetInFlight: 4 })], 2);
    corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    let plans = 0;
    corral.board.onPublish(() => {
      plans += 1;
    });
    for (let more = 0; more < 3; more += 1) corral.request(a.model);
    await corral.settle();
    assert.deepEqual([corral.ledger.inFlight(replicaId('a#1')), plans], [4, 0]);
    corral.request(a.model);
    await corral.settle();
    assert.equal(plans, 1);
  });
  it('for another model evicts the idle one, which is gone before the other starts', async () => {
    const corral = corralWith([a, b]);
    const first = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    const second = corral.request(b.model);
    await corral.settle();
    assert.deepEqual(corral.backend.history, ['start a', 'ready a'], 'a busy one is left alone');
    assert.match(JSON.stringify(routeOf(corral, b).phase), /taken by a, in use/u);
    first.finish();
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(2), ['drain a', 'stop a']);
    await goes(corral, 'a#1');
    await load(corral, 'b#2');
    assert.deepEqual(corral.backend.history.slice(4), ['gone a', 'start b', 'ready b']);
    assert.equal(second.state.kind, 'streaming');
  });
  it('that arrives while its model drains waits for the next replica', async () => {
    const corral = corralWith([a]);
    corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    corral.control.orderUnload(a.uid);
    assert.equal(routeOf(corral, a).phase.kind, 'draining');
    assert.equal(corral.request(a.model).state.kind, 'held');
  });
  it('for an unknown name changes nothing', async () => {
    const corral = corralWith([a]);
    for (const name of ['A', 'a ', '__proto__', 'constructor']) {
      assert.deepEqual(corral.request(modelName(name)).state, { kind: 'answered', how: 'not-found' });
    }
    await corral.settle();
    assert.deepEqual(corral.backend.history, []);
    assert.equal(corral.board.read().routes.length, 1);
  });
});

describe('a reservation', () => {
  it('outlives the control loop, also against a higher priority', async () => {
    const high = aPreset('high', { priority: 9 });
    const corral = corralWith([a, b, high]);
    const first = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    corral.request(b.model);
    await corral.pass(30_000);
    assert.deepEqual(corral.backend.history.slice(2), ['drain a']);
    corral.request(high.model);
    await corral.settle();
    corral.restartControl();
    first.finish();
    await corral.settle();
    await goes(corral, 'a#1');
    assert.deepEqual(corral.backend.history.slice(3), ['stop a', 'gone a', 'start b']);
  });
});

describe('a failed load', () => {
  it('tells those who wait, and is not tried again before its back-off ends', async () => {
    const corral = corralWith([a, b]);
    const client = corral.request(a.model);
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'));
    await corral.settle();
    assert.deepEqual(client.state, { kind: 'answered', how: 'refused' });
    assert.equal(routeOf(corral, a).phase.kind, 'failed');
    assert.deepEqual(corral.backend.observe(), [], 'it holds no capacity');
    assert.deepEqual(corral.request(a.model).state, { kind: 'answered', how: 'refused' });
    await corral.pass(10_000);
    assert.equal(routeOf(corral, a).refusal, undefined, 'the routes stop refusing by themselves');
    assert.equal(corral.request(a.model).state.kind, 'held');
    await corral.settle();
    assert.deepEqual(corral.backend.history, ['start a', 'failed a', 'start a']);
  });
  it('is told in the log with whole milliseconds, whatever the clock has between them', async () => {
    const retries: unknown[] = [];
    const note = (_message: string, fields: object = {}): void => void retries.push(fields);
    const silent = (): void => undefined;
    const corral = new FakeCorral({ error: silent, warn: note, info: silent, debug: silent });
    corral.control.setCatalog({ pools: [aPool()], presets: [a] });
    corral.request(a.model);
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'));
    await corral.pass(0.25);
    assert.deepEqual(retries, [{ replica: 'a#1', reason: 'it broke', retryInMs: 10_000, logTail: ['last words'] }]);
  });
  it('is tried again at once by an explicit order, or with a changed spec', async () => {
    const corral = corralWith([a]);
    corral.request(a.model);
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'));
    await corral.settle();
    corral.control.orderLoad(a.uid);
    assert.deepEqual(corral.backend.history, ['start a', 'failed a', 'start a']);
    corral.backend.makeFail(replicaId('a#2'));
    await corral.settle();
    corral.control.setCatalog({ pools: [aPool()], presets: [{ ...a, rendered: 'a-2' }] });
    assert.equal(corral.request(a.model).state.kind, 'held');
  });
  it('does not keep other models from loading', async () => {
    const corral = corralWith([a, b]);
    corral.request(a.model);
    const client = corral.request(b.model);
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'));
    await corral.settle();
    await load(corral, 'b#2');
    assert.equal(client.state.kind, 'streaming');
  });
  it('of a replica that served is no failed load: the next request starts it again', async () => {
    const corral = corralWith([a]);
    corral.request(a.model).leave();
    await corral.settle();
    await load(corral, 'a#1');
    corral.backend.makeFail(replicaId('a#1'), 5);
    await corral.settle();
    assert.equal(corral.request(a.model).state.kind, 'held');
  });
});

describe('a model for which the scheduler finds no place', () => {
  const pool = aPool({ maxLoaded: 2 });
  const refuse = async (corral: FakeCorral, id: string): Promise<void> => {
    corral.backend.makeUnschedulable(replicaId(id));
    await corral.settle();
  };
  /** `a` is loaded and in use; `b` is wanted, and refused once. */
  async function refusedOnce(): Promise<{ corral: FakeCorral; busy: FakeClient; client: FakeClient }> {
    const corral = corralWith([a, b], 2);
    const busy = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    const client = corral.request(b.model);
    await corral.settle();
    await refuse(corral, 'b#2');
    return { corral, busy, client };
  }

  it('waits with the words of the scheduler while somebody is there who may leave, and is tried again by itself', async () => {
    const { corral, client } = await refusedOnce();
    assert.equal(client.state.kind, 'held');
    const because = 'a place: no node takes the pod: Insufficient gpu';
    assert.deepEqual(routeOf(corral, b).phase, { kind: 'waiting', reason: 'Unschedulable', because, position: 1 });
    assert.equal(corral.control.schedulerWords(b.uid), 'no node takes the pod: Insufficient gpu');
    assert.equal(corral.control.schedulerWords(a.uid), undefined);
    await corral.pass(9_999);
    assert.equal(corral.backend.started.length, 2);
    await corral.pass(1);
    assert.deepEqual(corral.backend.history.at(-1), 'start b');
    await load(corral, 'b#3');
    assert.equal(client.state.kind, 'streaming');
  });
  it('gets the place of another as soon as that is idle; refused again, it is told at once, and nobody else leaves', async () => {
    const { corral, busy, client } = await refusedOnce();
    busy.finish();
    await corral.settle();
    await goes(corral, 'a#1');
    assert.deepEqual(corral.backend.history.slice(-4), ['drain a', 'stop a', 'gone a', 'start b']);
    await load(corral, 'b#3');
    assert.equal(client.state.kind, 'streaming');
    client.finish();
    assert.equal(corral.control.schedulerWords(b.uid), undefined, 'it has found a place');
  });
  it('is refused when others have left in vain, until the next try', async () => {
    const { corral, busy, client } = await refusedOnce();
    busy.finish();
    await corral.settle();
    await goes(corral, 'a#1');
    await refuse(corral, 'b#3');
    assert.deepEqual(client.state, { kind: 'answered', how: 'refused' });
    const { phase, refusal } = routeOf(corral, b);
    assert.deepEqual([phase.kind, refusal?.kind], ['failed', 'load-failed']);
    assert.ok(refusal?.kind === 'load-failed');
    assert.deepEqual(
      [refusal.code, refusal.reason, refusal.failures, refusal.retryAt],
      ['Unschedulable', 'no node takes the pod: Insufficient gpu', 2, 21_000],
    );
    assert.equal(corral.request(b.model).state.kind, 'answered');
    await corral.pass(20_000);
    assert.equal(routeOf(corral, b).refusal, undefined, 'the routes stop refusing by themselves');
    assert.equal(corral.request(b.model).state.kind, 'held');
  });
  it('is told at once where nobody is who could leave', async () => {
    const corral = corralWith([a]);
    const client = corral.request(a.model);
    await corral.settle();
    await refuse(corral, 'a#1');
    assert.deepEqual(client.state, { kind: 'answered', how: 'refused' });
    assert.equal(routeOf(corral, a).refusal?.kind, 'load-failed');
  });
  it('stays ordered, and an order has it tried at once', async () => {
    const corral = corralWith([scaled(a, { autoload: false })]);
    corral.control.orderLoad(a.uid);
    await refuse(corral, 'a#1');
    assert.equal(corral.backend.started.length, 1);
    await corral.pass(10_000);
    assert.equal(corral.backend.started.length, 2, 'nobody had to order it again');
    await refuse(corral, 'a#2');
    corral.control.orderLoad(a.uid);
    assert.equal(corral.backend.started.length, 3);
  });
  it('is tried at once with a changed declaration', async () => {
    const { corral } = await refusedOnce();
    corral.control.setCatalog({ pools: [pool], presets: [a, { ...b, footprint: new Map([['gpu', 1]]) }] });
    assert.deepEqual(corral.backend.history.at(-1), 'start b');
  });
});

describe('a model that may have several replicas', () => {
  it('gets another in the tick in which its requests need one, and gives it back a minute after they do not', async () => {
    const many = scaled(a, { maxReplicas: 3, targetInFlight: 2 });
    const corral = corralWith([many], 5);
    const clients = [corral.request(a.model)];
    await corral.settle();
    await load(corral, 'a#1');
    clients.push(corral.request(a.model));
    await corral.settle();
    assert.equal(corral.backend.started.length, 1, 'one is for two');
    clients.push(corral.request(a.model));
    await corral.settle();
    assert.equal(corral.backend.started.length, 2);
    await load(corral, 'a#2');
    await corral.pass(minutes(2));
    for (const client of clients) client.finish();
    await corral.pass(seconds(59));
    assert.ok(!corral.backend.history.includes('drain a'));
    await corral.pass(minutes(1));
    assert.deepEqual(corral.backend.history.slice(4), ['drain a', 'stop a']);
  });
  it('starts all that always have to be loaded', async () => {
    const corral = corralWith([scaled(a, { minReplicas: 20, maxReplicas: 20 })], 0);
    await corral.settle();
    assert.equal(corral.backend.started.length, 20);
  });
  it('gets what is missing of those when another becomes idle', async () => {
    const corral = corralWith([b, scaled(a, { minReplicas: 1, maxReplicas: 2 })], 2);
    const busy = corral.request(b.model);
    await corral.settle();
    await load(corral, 'a#1');
    await load(corral, 'b#2');
    corral.control.setCatalog({
      pools: [aPool({ maxLoaded: 2 })],
      presets: [b, scaled(a, { minReplicas: 2, maxReplicas: 2 })],
    });
    assert.ok(!corral.backend.history.includes('drain b'));
    busy.finish();
    await corral.settle();
    await goes(corral, 'b#2');
    assert.deepEqual(corral.backend.history.slice(-4), ['drain b', 'stop b', 'gone b', 'start a']);
  });
});

describe('an edit', () => {
  it('of a model in use keeps it until the new one is ready, or until it is idle', async () => {
    const corral = corralWith([a], 2);
    const client = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    corral.control.setCatalog({ pools: [aPool({ maxLoaded: 2 })], presets: [{ ...a, rendered: 'a-2' }] });
    corral.backend.makeFail(replicaId('a#2'));
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(2), ['start a', 'failed a']);
    client.finish();
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(4), ['drain a', 'stop a']);
  });
  it('of a model that requests do not load loads it again', async () => {
    const still = scaled(a, { autoload: false });
    const corral = corralWith([still]);
    corral.control.orderLoad(a.uid);
    await load(corral, 'a#1');
    corral.control.setCatalog({ pools: [aPool()], presets: [{ ...still, rendered: 'a-2', serves: 'another' }] });
    await corral.settle();
    await goes(corral, 'a#1');
    assert.deepEqual(corral.backend.history.slice(-2), ['gone a', 'start a']);
  });
  it('of such a model loads it again also where the old one crashes while it drains', async () => {
    const still = scaled(a, { autoload: false });
    const corral = corralWith([still]);
    corral.control.orderLoad(a.uid);
    await load(corral, 'a#1');
    corral.request(a.model);
    await corral.settle();
    corral.control.setCatalog({ pools: [aPool()], presets: [{ ...still, rendered: 'a-2', serves: 'another' }] });
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'), 5);
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(-3), ['drain a', 'failed a', 'start a']);
  });
});

describe('orders', () => {
  it('that are given again and again have waited since the first one', async () => {
    const corral = corralWith([a, b]);
    corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    for (let at = 0; at < 60; at += 20) {
      corral.control.orderLoad(b.uid);
      await corral.pass(20_000);
    }
    assert.deepEqual(corral.backend.history.slice(2), ['drain a']);
  });
  it('to unload outlast the crash of one of those that leave', async () => {
    const corral = corralWith([scaled(a, { maxReplicas: 2 })], 2);
    corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#2');
    corral.request(a.model);
    await corral.settle();
    corral.control.orderUnload(a.uid);
    corral.request(a.model);
    await corral.settle();
    corral.backend.makeFail(replicaId('a#1'), 5);
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(-2), ['drain a', 'failed a']);
  });
  it('load without a request, and hold until the model is ready', async () => {
    const corral = corralWith([a]);
    corral.control.orderLoad(a.uid);
    assert.ok(corral.control.isLive(a.uid));
    await load(corral, 'a#1');
    corral.control.orderUnload(a.uid);
    await goes(corral, 'a#1');
    assert.deepEqual(corral.backend.history, ['start a', 'ready a', 'drain a', 'stop a', 'gone a']);
    await corral.pass(1_000_000);
    assert.equal(corral.backend.started.length, 1);
  });
  it('unload a busy model only after its requests', async () => {
    const corral = corralWith([a]);
    const client = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    corral.control.orderUnload(a.uid);
    assert.ok(!corral.backend.history.includes('stop a'));
    client.finish();
    await corral.settle();
    assert.ok(corral.backend.history.includes('stop a'));
  });
  it('reach a model that is not loaded by requests', async () => {
    const corral = corralWith([scaled(a, { autoload: false })]);
    assert.deepEqual(corral.request(a.model).state, { kind: 'answered', how: 'refused' });
    corral.control.orderLoad(a.uid);
    const client = corral.request(a.model);
    assert.equal(client.state.kind, 'held', 'it is on its way');
    await load(corral, 'a#1');
    assert.equal(client.state.kind, 'streaming');
  });
  it('are given by minReplicas itself, again and again', async () => {
    const corral = corralWith([scaled(a, { minReplicas: 1 })]);
    assert.deepEqual(corral.backend.history, ['start a']);
    await load(corral, 'a#1');
    corral.backend.makeFail(replicaId('a#1'), 5);
    await corral.settle();
    assert.deepEqual(corral.backend.history, ['start a', 'ready a', 'failed a', 'start a']);
  });
});

describe('what would become of a request', () => {
  it('is told from a look that changes nothing', async () => {
    const corral = corralWith([a, b]);
    assert.deepEqual(corral.control.plan(a.uid), { kind: 'starts', bin: WHOLE_POOL });
    assert.equal(corral.control.plan(presetUid('nobody')), undefined);
    assert.equal(corral.backend.history.length, 0);
    const client = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    assert.deepEqual(corral.control.plan(a.uid), { kind: 'served', ready: true });
    client.finish();
    const plan = corral.control.plan(b.uid);
    assert.ok(plan?.kind === 'waits');
    assert.deepEqual(
      plan.leaving.map(({ preset }) => preset),
      [a.uid],
    );
    assert.ok(!corral.backend.history.includes('drain a'));
  });
});

describe('time', () => {
  it('ends a model that nobody asks for, and the next request brings it back', async () => {
    const corral = corralWith([scaled(a, { idleTimeout: minutes(1) })]);
    const client = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    await corral.pass(minutes(2));
    assert.ok(!corral.backend.history.includes('drain a'), 'a busy one stays');
    client.finish();
    await corral.settle();
    await corral.pass(minutes(1) - 1);
    assert.ok(!corral.backend.history.includes('drain a'));
    await corral.pass(minutes(1));
    await goes(corral, 'a#1');
    corral.request(a.model);
    await corral.settle();
    assert.deepEqual(corral.backend.history.slice(2), ['drain a', 'stop a', 'gone a', 'start a']);
  });
  it('makes a model that is never idle give way', async () => {
    const corral = corralWith([a, b]);
    const busy = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    const client = corral.request(b.model);
    await corral.settle();
    await corral.pass(seconds(30));
    const next = corral.request(a.model);
    assert.equal(next.state.kind, 'held', 'the gate is closed');
    assert.ok(!corral.backend.history.includes('stop a'));
    busy.finish();
    await corral.settle();
    await goes(corral, 'a#1');
    await load(corral, 'b#2');
    assert.equal(client.state.kind, 'streaming');
    client.finish();
    await corral.settle();
    await goes(corral, 'b#2');
    await load(corral, 'a#3');
    assert.equal(next.state.kind, 'streaming');
  });
});

describe('room that is kept for a model that has waited too long', () => {
  it('is kept also when those who left are gone, from a higher priority too', async () => {
    const c = aPreset('c', { priority: 1 });
    const corral = corralWith([a, b, c]);
    const busy = corral.request(a.model);
    await corral.settle();
    await load(corral, 'a#1');
    const client = corral.request(b.model);
    await corral.settle();
    await corral.pass(seconds(30));
    busy.finish();
    corral.request(c.model);
    await corral.settle();
    await goes(corral, 'a#1');
    assert.deepEqual(corral.backend.history.slice(-2), ['gone a', 'start b']);
    await load(corral, 'b#2');
    assert.equal(client.state.kind, 'streaming');
  });
});

describe('stopping everything', () => {
  it('resolves when the last process is gone, and not before', async () => {
    const corral = corralWith([a, b], 2);
    const client = corral.request(a.model);
    corral.request(b.model).leave();
    await corral.settle();
    await load(corral, 'a#1');
    let stopped = false;
    const stopping = corral.control.stopAll().then(() => {
      stopped = true;
    });
    await goes(corral, 'b#2');
    assert.ok(!corral.backend.history.includes('stop a'));
    client.finish();
    await corral.settle();
    assert.ok(!stopped);
    await goes(corral, 'a#1');
    await stopping;
    assert.deepEqual(corral.backend.observe(), []);
  });
  it('resolves when there is nothing to stop', async () => {
    await corralWith([a]).control.stopAll();
  });
});

describe('a new catalog', () => {
  it('replaces a changed model after its requests, and leaves an unchanged one alone', async () => {
    const corral = corralWith([a, b], 2);
    const client = corral.request(a.model);
    corral.request(b.model);
    await corral.settle();
    await load(corral, 'a#1');
    await load(corral, 'b#2');
    corral.control.setCatalog({ pools: [aPool({ maxLoaded: 2 })], presets: [{ ...a, rendered: 'a-2' }, b] });
    assert.deepEqual(corral.backend.history.slice(4), ['drain a']);
    assert.deepEqual(routeOf(corral, a).replicas, [], 'no request reaches the old one');
    const next = corral.request(a.model);
    client.finish();
    await corral.settle();
    await goes(corral, 'a#1');
    await load(corral, 'a#3');
    assert.equal(next.state.kind, 'streaming');
    assert.equal(corral.backend.started.at(-1)?.rendered, 'a-2');
  });
  it('keeps refusing a preset whose pool is missing', () => {
    const corral = new FakeCorral();
    corral.control.setCatalog({ pools: [], presets: [a] });
    assert.deepEqual(corral.request(a.model).state, { kind: 'answered', how: 'refused' });
    assert.equal(routeOf(corral, a).refusal?.kind, 'pool-not-found');
  });
});
