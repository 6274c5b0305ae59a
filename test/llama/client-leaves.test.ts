import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { send } from '../../src/testing/http-kit.ts';
import { assertWhole, chat, question, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { untilListed, untilProcessing } from '../support/look.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** So many tokens take the slow model many seconds: a slot that is free before was freed by the client's leaving. */
const ENDLESS = 1900;

/**
 * llama-server looks whether a client that waits for a whole answer is still there when nothing, a look at its slots
 * included, was answered for a second (`recv_with_timeout` in llama.cpp's server-queue.cpp waits anew at each result).
 */
const UNNOTICED_FOR = 1_200;

describe('a client that leaves', suite, () => {
  it('frees the slot of its stream, and nobody else loses theirs', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stays = await startStream(corral, 'a', 800);
    const leaves = await startStream(corral, 'a', ENDLESS);
    await untilProcessing(corral, 'a', 2);
    leaves.abort();
    await untilProcessing(corral, 'a', 1);
    assert.equal(stays.isOver(), false, 'the slot was freed before either could have ended');
    await assertWhole(stays.whole, 'a', 800);
  });

  it('frees the slot of the whole answer that it waited for', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    await chat(corral, 'a');
    const leaves = send(corral, { body: JSON.stringify(question('a', ENDLESS)) });
    leaves.on('error', () => undefined);
    await untilProcessing(corral, 'a', 1);
    leaves.destroy();
    await corral.log.waitFor({ msg: 'request', model: 'a', status: 499 });
    const slots = await untilProcessing(corral, 'a', 0, UNNOTICED_FOR);
    const made = slots.map(({ n_prompt_tokens: tokens }) => (tokens === undefined ? 0 : tokens));
    assert.ok(Math.max(...made) > 0 && Math.max(...made) < ENDLESS, `it came to ${Math.max(...made)} tokens`);
  });

  it('while it is held gives up its place: its model is not started', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1']);
    const stream = await startStream(corral, 'a', 200);
    const goOn = stopServer(corral, 'a');
    const held = send(corral, { body: JSON.stringify(question('b', 2)) });
    held.on('error', () => undefined);
    await untilListed(corral, 'b', 'loading');
    held.destroy();
    await corral.log.waitFor({ msg: 'request', model: 'b', status: 499 });
    await untilListed(corral, 'b', 'unloaded');
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', 200);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.equal((await corral.stop()).code, 0);
    assert.equal(corral.starts().length, 1);
  });
});
