import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Make } from './backend-stage.ts';

/** What every backend promises of several replicas of one preset that come and go at once, as tests. */
export function severalAtOnce(make: Make): void {
  void it('starts another replica of a preset while earlier ones drain and stop, and none of them is taken for another', async (t) => {
    const stage = await make(t);
    const end = stage.world.holdEnds();
    const preset = stage.world.preset('a');
    const [stopping, draining] = [await stage.startReady(preset), await stage.startAnother(preset)];
    stage.drain(stopping);
    stage.stop(stopping);
    stage.drain(draining);
    // Time for these orders to be carried out: another one's has been.
    await stage.startReady(stage.world.preset('b'));
    const third = await stage.startAnother(preset);
    assert.equal(new Set([stopping.id, draining.id, third.id]).size, 3);
    assert.deepEqual([stage.kindOf(stopping), stage.kindOf(draining)], ['stopping', 'draining']);
    assert.deepEqual(stage.world.running(), ['a', 'a', 'a', 'b']);
    stage.cancel(draining);
    assert.equal(stage.kindOf(draining), 'ready');
    end();
    await stage.until(() => stage.kindOf(stopping) === undefined);
    await stage.startAnother(preset);
    assert.deepEqual(stage.world.running(), ['a', 'a', 'a', 'b']);
  });
}

/** The same of two replicas of one preset, of which one goes. */
export function oneOfTwo(make: Make): void {
  void it('drains, takes back and stops one of two of a preset, and leaves the other alone', async (t) => {
    const stage = await make(t);
    const preset = stage.world.preset('a');
    const [first, second] = [await stage.startReady(preset), await stage.startAnother(preset)];
    stage.drain(second, { kind: 'surplus' });
    assert.deepEqual([stage.kindOf(first), stage.kindOf(second)], ['ready', 'draining']);
    stage.cancel(second);
    stage.drain(first, { kind: 'surplus' });
    stage.stop(first);
    await stage.until(() => stage.kindOf(first) === undefined);
    assert.deepEqual(stage.only(), second);
    assert.deepEqual(stage.world.running(), ['a']);
  });
  void it('takes back the start of one of two, and the other becomes ready', async (t) => {
    const stage = await make(t);
    const preset = stage.world.preset('a', { behaviour: 'held' });
    stage.start(preset);
    stage.start(preset);
    const [first, second] = stage.backend.observe();
    assert.ok(first !== undefined && second !== undefined);
    stage.drain(first);
    stage.stop(first);
    await stage.until(() => stage.backend.observe().length === 1);
    await stage.world.untilRunning('a');
    stage.world.release(stage.only());
    await stage.untilState('ready');
    assert.deepEqual(stage.world.running(), ['a']);
  });
  void it('shows the crash of one of two, and the other serves on', async (t) => {
    const stage = await make(t);
    const preset = stage.world.preset('a');
    const [first, second] = [await stage.startReady(preset), await stage.startAnother(preset)];
    stage.world.crash(first);
    assert.equal((await stage.untilState('failed')).id, first.id);
    assert.equal(stage.kindOf(second), 'ready');
    stage.backend.forget(first.id);
    await stage.until(() => stage.backend.observe().length === 1);
    assert.deepEqual(stage.only(), second);
    await stage.startAnother(preset);
    assert.deepEqual(stage.world.running(), ['a', 'a']);
  });
}
