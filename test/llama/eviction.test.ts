import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { isAlive } from '../support/recorder.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** The life of replicas as the log tells it: `a#1 started`, `a#1 gone`, ... */
const livesOf = ({ log }: ServingCorral): string[] =>
  log.lines
    .filter(({ msg }) => msg === 'replica started' || msg === 'replica gone')
    .map(({ msg, replica }) => `${String(replica)}${msg.slice('replica'.length)}`);

describe('eviction', suite, () => {
  it('with room for one, A is gone before B starts, and back again', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b']);
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1']);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    const [a] = corral.starts();
    const gone = corral.log.waitFor({ msg: 'replica gone', replica: 'a#1' }).then(({ pid }) => {
      assert.equal(pid, a?.pid);
      assert.equal(isAlive(Number(pid)), false);
    });
    await assertWhole(chat(corral, 'b'), 'b', 2);
    await gone;
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.deepEqual(livesOf(corral), ['a#1 started', 'a#1 gone', 'b#2 started', 'b#2 gone', 'a#3 started']);
    assert.deepEqual(
      corral.starts().map(({ besides }) => besides),
      [[], [], []],
    );
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'evicted' });
  });

  it('of two the longest idle goes, idle since the end of its last request and not since its start', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b', 'c'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '2']);
    // A is loaded before B, its request begins before B's, and ends after it.
    const long = await startStream(corral, 'a', 200);
    const goOn = stopServer(corral, 'a');
    await assertWhole(chat(corral, 'b'), 'b', 2);
    assert.equal(long.isOver(), false, 'the order of ends is what this is about');
    goOn();
    await assertWhole(long.whole, 'a', 200);
    await assertWhole(chat(corral, 'c'), 'c', 2);
    assert.deepEqual(livesOf(corral), ['a#1 started', 'b#2 started', 'b#2 gone', 'c#3 started']);
    const [a, b, c] = corral.starts();
    assert.deepEqual(b?.besides, [a?.pid]);
    assert.deepEqual(c?.besides, [a?.pid]);
  });

  it('never runs more than it may, however many models are asked for at once', async (t) => {
    const folder = await tempFolder(t);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await tinyModels(folder, names);
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '2']);
    await Promise.all([...names, ...names].map(async (name) => assertWhole(chat(corral, name, 20), name, 20)));
    const besides = corral.starts().map(({ besides: others }) => others.length);
    assert.ok(besides.length >= names.length);
    assert.ok(
      besides.every((others) => others < 2),
      `started beside others: ${besides.join(', ')}`,
    );
  });
});
