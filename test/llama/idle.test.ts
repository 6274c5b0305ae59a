import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { untilListed } from '../support/look.ts';
import { isAlive } from '../support/recorder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

describe('idle timeout', suite, () => {
  it('ends the process of an idle model, and the next request brings it back', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--idle-timeout', '300ms']);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'idle' });
    const { pid } = await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1', how: 'stopped' });
    assert.equal(isAlive(Number(pid)), false);
    await untilListed(corral, 'a', 'unloaded');
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.equal(corral.starts().length, 2);
  });

  it('does not count the time of a request, however long it streams', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--idle-timeout', '100ms']);
    await assertWhole((await startStream(corral, 'a', 150)).whole, 'a', 150);
    await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1' });
    const request = await corral.log.indexOf({ msg: 'request', model: 'a', status: 200 });
    assert.ok(request < (await corral.log.indexOf({ msg: 'replica draining', cause: 'idle' })));
  });
});
