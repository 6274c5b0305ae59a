import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { binName, presetUid, replicaId } from '../domain/ids.ts';
import type { Replica, ReplicaState } from '../domain/replica.ts';
import { IDLE, Stage, type BackendUnderTest, type Make } from './backend-stage.ts';
import { oneOfTwo, severalAtOnce } from './several-replicas.ts';

export interface Conformance {
  readonly name: string;
  /** Whether `make` gives a backend with `deafen`. */
  readonly canBeDeaf: boolean;
  /** A backend of the test's own, which ends with the test. */
  readonly make: (t: TestContext) => Promise<BackendUnderTest>;
}

/** The promises that every backend keeps (see `Backend`), as tests. */
export function describeBackend(conformance: Conformance): void {
  const stage = async (t: TestContext): Promise<Stage> => new Stage(await conformance.make(t));
  void describe(`the ${conformance.name} backend, given an order`, () => {
    ordersShow(stage);
    drainsAndCancels(stage);
    stops(stage);
  });
  void describe(`the ${conformance.name} backend`, () => {
    failures(stage);
    lives(stage);
    severalAtOnce(stage);
    oneOfTwo(stage);
  });
  const skip = conformance.canBeDeaf ? false : 'it hears at once';
  void describe(`the ${conformance.name} backend, while it hears nothing`, { skip }, () => {
    deafness(stage);
  });
}

function ordersShow(make: Make): void {
  void it('to start shows it at once, and ends in a ready replica with an endpoint', async (t) => {
    const stage = await make(t);
    const preset = stage.world.preset('a');
    stage.start(preset);
    assert.deepEqual(stage.kinds(), ['starting']);
    const { preset: uid, pool, rendered, serves, state } = await stage.untilState('ready');
    assert.deepEqual([uid, pool, rendered, serves], [preset.uid, preset.pool, preset.rendered, preset.serves]);
    assert.ok(state.kind === 'ready' && state.loadTime !== undefined && state.loadTime >= 0);
    assert.match(state.endpoint.origin, /^http:\/\/[^/]+:\d+$/u);
    assert.match(state.endpoint.prefix, /^\/corral-[0-9a-f-]*[0-9a-f]{32}$/u);
    assert.deepEqual(stage.world.running(), ['a']);
  });
  void it('to start twice runs two, side by side', async (t) => {
    const stage = await make(t);
    const preset = stage.world.preset('a');
    stage.start(preset);
    stage.start(preset);
    assert.deepEqual(stage.kinds(), ['starting', 'starting']);
    await stage.until(() => stage.kinds().join() === 'ready,ready');
    const [first, second] = stage.backend.observe();
    assert.notEqual(first?.id, second?.id);
    assert.deepEqual(stage.world.running(), ['a', 'a']);
  });
  void it('to start says from the first moment on what it takes, and of which bin', async (t) => {
    const stage = await make(t);
    const footprint = new Map([
      ['vram', 9 * 2 ** 30 * 1000],
      ['example.com/gpu', 500],
    ]);
    const preset = { ...stage.world.preset('a'), footprint };
    stage.start(preset, binName('gpu-1'));
    const ordered = stage.only();
    const ready = await stage.untilState('ready');
    for (const replica of [ordered, ready]) {
      assert.equal(replica.bin, 'gpu-1');
      assert.deepEqual(replica.footprint, footprint);
    }
    stage.start({ ...preset, footprint: new Map([['vram', 1000]]) }, binName('gpu-2'));
    await stage.until(() => stage.kinds().join() === 'ready,ready');
    const bins = stage.backend.observe().map(({ bin, footprint }) => [bin, footprint.get('vram')]);
    assert.deepEqual(bins, [
      ['gpu-1', 9 * 2 ** 30 * 1000],
      ['gpu-2', 1000],
    ]);
  });
  void it('for a replica that does not exist changes nothing', async (t) => {
    const stage = await make(t);
    const kept = await stage.startReady(stage.world.preset('a'));
    const nobody: Replica = { ...kept, id: replicaId('nobody'), preset: presetUid('nobody') };
    stage.drain(nobody);
    stage.cancel(nobody);
    stage.stop(nobody);
    stage.backend.forget(nobody.id);
    assert.deepEqual(stage.backend.observe(), [kept]);
  });
}

function drainsAndCancels(make: Make): void {
  void it('to drain shows it at once with its cause, and the server goes on', async (t) => {
    const stage = await make(t);
    const replica = await stage.startReady(stage.world.preset('a'));
    const cause = { kind: 'evicted', beneficiary: presetUid('b') } as const;
    stage.drain(replica, cause);
    const { state } = stage.only();
    assert.ok(state.kind === 'draining');
    assert.deepEqual(state.cause, cause);
    stage.drain(replica, IDLE);
    assert.deepEqual(stage.only().state, state, 'the first cause stays');
    assert.deepEqual(stage.world.running(), ['a']);
  });
  void it('to cancel makes it what it was before, and it can be drained and stopped later', async (t) => {
    const stage = await make(t);
    const replica = await stage.startReady(stage.world.preset('a'));
    stage.drain(replica);
    stage.cancel(replica);
    assert.deepEqual(stage.only(), replica);
    stage.drain(replica);
    stage.stop(replica);
    assert.deepEqual(stage.kinds(), ['stopping']);
    await stage.untilGone();
    assert.deepEqual(stage.world.running(), []);
  });
  void it('to cancel the drain of a starting one lets it become ready', async (t) => {
    const stage = await make(t);
    stage.start(stage.world.preset('a', { behaviour: 'held' }));
    stage.drain(stage.only());
    assert.deepEqual(stage.kinds(), ['draining']);
    stage.cancel(stage.only());
    assert.deepEqual(stage.kinds(), ['starting']);
    await stage.world.untilRunning('a');
    stage.drain(stage.only());
    stage.cancel(stage.only());
    assert.deepEqual(stage.kinds(), ['starting']);
    // Time for it to listen, and then to become ready: others have.
    await stage.startReady(stage.world.preset('b'));
    const held = stage.only(stage.world.preset('a', { behaviour: 'held' }));
    stage.drain(held);
    stage.world.release(held);
    await stage.startReady(stage.world.preset('c'));
    assert.deepEqual(stage.kinds(), ['draining', 'ready', 'ready'], 'it drains also when it has become ready');
    stage.cancel(held);
    await stage.until(() => stage.kinds().join() === 'ready,ready,ready');
  });
  void it('to cancel what does not drain changes nothing', async (t) => {
    const stage = await make(t);
    const replica = await stage.startReady(stage.world.preset('a'));
    stage.cancel(replica);
    assert.deepEqual(stage.only(), replica);
  });
}

function stops(make: Make): void {
  void it('to stop what does not drain changes nothing', async (t) => {
    const stage = await make(t);
    const replica = await stage.startReady(stage.world.preset('a'));
    stage.stop(replica);
    assert.deepEqual(stage.only(), replica);
  });
  void it('to stop shows it at once, and holds its place until the server has ended; nothing takes it back', async (t) => {
    const stage = await make(t);
    const end = stage.world.holdEnds();
    const replica = await stage.startReady(stage.world.preset('a'));
    const other = await stage.startReady(stage.world.preset('b'));
    stage.drain(replica);
    stage.stop(replica);
    stage.cancel(replica);
    stage.drain(replica);
    assert.equal(stage.only(stage.world.preset('a')).state.kind, 'stopping');
    // Time for an order to be carried out: another one's has been.
    await stage.startReady(stage.world.preset('c'));
    assert.equal(stage.only(stage.world.preset('a')).state.kind, 'stopping');
    assert.deepEqual(stage.world.running(), ['a', 'b', 'c']);
    end();
    await stage.untilGone(stage.world.preset('a'));
    assert.deepEqual(stage.world.running(), ['b', 'c']);
    assert.deepEqual(stage.only(stage.world.preset('b')), other, 'others are left alone');
  });
  void it('to stop one that is starting leaves nothing behind', async (t) => {
    const stage = await make(t);
    stage.start(stage.world.preset('a', { behaviour: 'held' }));
    stage.drain(stage.only(), { kind: 'removed' });
    stage.stop(stage.only());
    assert.deepEqual(stage.kinds(), ['stopping']);
    await stage.untilGone();
    assert.deepEqual(stage.world.running(), []);
    stage.start(stage.world.preset('b', { behaviour: 'held' }));
    await stage.world.untilRunning('b');
    stage.drain(stage.only());
    stage.stop(stage.only());
    await stage.untilGone();
    assert.deepEqual(stage.world.running(), []);
  });
}

const failureOf = ({ state }: Replica): (ReplicaState & { kind: 'failed' })['failure'] => {
  assert.ok(state.kind === 'failed');
  return state.failure;
};

function failures(make: Make): void {
  void it('shows a server that ends while it loads as failed, with its last words, until that is forgotten', async (t) => {
    const stage = await make(t);
    stage.start(stage.world.preset('a', { behaviour: 'exit' }));
    const replica = await stage.untilState('failed');
    const { code, reason, exitCode, logTail, readyFor, startedAt, at } = failureOf(replica);
    assert.ok(startedAt !== undefined && startedAt <= at);
    assert.deepEqual([code, exitCode, readyFor], ['CrashedOnLoad', 3, undefined]);
    assert.match(reason, /exited with code 3 while it loaded the model/u);
    assert.deepEqual(logTail, ['line 1', 'the model is broken']);
    stage.drain(replica);
    stage.stop(replica);
    assert.deepEqual(stage.only(), replica, 'a failed one cannot be ordered about');
    stage.backend.forget(replica.id);
    await stage.untilGone();
  });
  void it('shows a server that ends while it serves or drains as crashed', async (t) => {
    const stage = await make(t);
    for (const name of ['a', 'b']) {
      const replica = await stage.startReady(stage.world.preset(name));
      if (name === 'b') stage.drain(replica);
      stage.world.crash(replica);
      const failed = await stage.untilState('failed');
      const { code, readyFor } = failureOf(failed);
      assert.equal(code, 'Crashed');
      assert.ok(readyFor !== undefined);
      stage.backend.forget(failed.id);
      await stage.untilGone();
    }
  });
  void it('forgets nothing that lives', async (t) => {
    const stage = await make(t);
    const replica = await stage.startReady(stage.world.preset('a'));
    stage.backend.forget(replica.id);
    assert.deepEqual(stage.only(), replica);
    stage.drain(replica);
    stage.backend.forget(replica.id);
    assert.deepEqual(stage.kinds(), ['draining']);
  });
  void it('starts a preset again after its failure', async (t) => {
    const stage = await make(t);
    stage.start(stage.world.preset('a', { behaviour: 'exit' }));
    stage.backend.forget((await stage.untilState('failed')).id);
    await stage.untilGone();
    await stage.startReady(stage.world.preset('a', { variant: 2 }));
    assert.deepEqual(stage.world.running(), ['a']);
  });
}

function lives(make: Make): void {
  void it('replaces: the new one starts beside the old one, and each is what it was started as', async (t) => {
    const stage = await make(t);
    const [before, now] = [stage.world.preset('a'), stage.world.preset('a', { variant: 2 })];
    assert.equal(before.uid, now.uid);
    const old = await stage.startReady(before);
    stage.start(now);
    await stage.until(() => stage.kinds().join() === 'ready,ready');
    stage.drain(old, { kind: 'changed' });
    stage.stop(old);
    await stage.until(() => stage.backend.observe().length === 1);
    assert.equal(stage.only().rendered, now.rendered);
    assert.deepEqual(stage.world.running(), ['a']);
  });
  void it('keeps two lives of one name apart', async (t) => {
    const stage = await make(t);
    const [before, now] = [stage.world.preset('a'), stage.world.preset('a', { life: 2 })];
    assert.notEqual(before.uid, now.uid);
    const old = await stage.startReady(before);
    const young = await stage.startReady(now);
    stage.drain(old, { kind: 'removed' });
    stage.stop(old);
    await stage.untilGone(before);
    assert.deepEqual(stage.only(), young);
    assert.deepEqual(stage.world.running(), ['a']);
  });
}

function deafness(make: Make): void {
  for (const how of ['late', 'lost'] as const) {
    void it(`carries out orders all the same, and what it hears ${how} changes nothing of them`, async (t) => {
      const stage = await make(t);
      const [a, b] = [stage.world.preset('a'), stage.world.preset('b')];
      const old = await stage.startReady(a);
      const listen = await stage.world.deafen?.(how);
      stage.drain(old);
      stage.start(b);
      assert.deepEqual(stage.kinds().toSorted(), ['draining', 'starting']);
      await stage.world.untilRunning('a', 'b');
      stage.stop(old);
      assert.equal(stage.only(a).state.kind, 'stopping');
      listen?.();
      await stage.untilState('ready', b);
      await stage.untilGone(a);
      assert.deepEqual(stage.world.running(), ['b']);
    });
    void it(`finds out about a crash and a removal, heard ${how}`, async (t) => {
      const stage = await make(t);
      const [a, b] = [stage.world.preset('a'), stage.world.preset('b')];
      const [crashing, staying] = [await stage.startReady(a), await stage.startReady(b)];
      const listen = await stage.world.deafen?.(how);
      stage.world.crash(crashing);
      assert.deepEqual(stage.kinds(), ['ready', 'ready']);
      stage.drain(crashing);
      listen?.();
      const failed = await stage.untilState('failed');
      assert.equal(failureOf(failed).code, 'Crashed');
      stage.backend.forget(failed.id);
      await stage.untilGone(a);
      assert.deepEqual(stage.only(b), staying);
    });
  }
}
