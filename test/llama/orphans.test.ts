import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { isAlive } from '../support/recorder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

describe('what a killed corral leaves behind', suite, () => {
  it('is ended by the next start, before it listens, busy or idle', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['busy', 'idle'], 'slow');
    const killed = await startCorral(t, ['--models-dir', folder]);
    await chat(killed, 'idle');
    const stream = await startStream(killed, 'busy', 1900);
    killed.kill('SIGKILL');
    assert.equal((await killed.exited).signal, 'SIGKILL');
    await assert.rejects(stream.whole);
    const pids = killed.starts().map(({ pid }) => pid);
    assert.deepEqual(pids.map(isAlive), [true, true]);
    const next = await startCorral(t, ['--models-dir', folder]);
    assert.deepEqual(pids.map(isAlive), [false, false]);
    const { pids: ended = [] } = await next.log.waitFor({ msg: 'ended what a killed corral had left behind' });
    assert.ok(pids.every((pid) => ended.includes(pid)));
    await assertWhole(chat(next, 'idle'), 'idle', 2);
  });

  it('is not what a living corral runs', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const living = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(living, 'a', 200);
    await startCorral(t, ['--models-dir', folder]);
    await assertWhole(stream.whole, 'a', 200);
    assert.deepEqual(living.log.all({ msg: 'replica gone' }), []);
  });
});
