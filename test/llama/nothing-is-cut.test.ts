import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { reload, untilListed, untilProcessing } from '../support/look.ts';
import { isAlive, untilDead } from '../support/recorder.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** Long enough to be under way when its server is stopped. */
const LONG = 300;

describe('a request in flight is never cut', suite, () => {
  it('by a reload that changes its model: it ends well, and the next one meets the new server', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a'], 'slow');
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[a]\nmodel = ${path}\nctx-size = 1024\n`);
    const corral = await startCorral(t, ['--models-preset', file]);
    const streams = [await startStream(corral, 'a', LONG), await startStream(corral, 'a', LONG)];
    const goOn = stopServer(corral, 'a');
    await writeFile(file, `[a]\nmodel = ${path}\nctx-size = 2048\n`);
    await reload(corral);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'changed' });
    const next = chat(corral, 'a');
    assert.ok(streams.every((stream) => !stream.isOver()));
    goOn();
    for (const { whole } of streams) await assertWhole(whole, 'a', LONG);
    await assertWhole(next, 'a', 2);
    const [before, after, ...more] = corral.starts();
    assert.match(before?.args ?? '', /--ctx-size 1024 /);
    assert.match(after?.args ?? '', /--ctx-size 2048 /);
    assert.deepEqual(after?.besides, [before?.pid], 'there is room for both: the old one serves until the new one can');
    assert.deepEqual(more, []);
  });

  it('by a reload that removes its model: it ends well, then its server goes', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', LONG);
    const whole = chat(corral, 'a', LONG);
    await untilProcessing(corral, 'a', 2);
    const goOn = stopServer(corral, 'a');
    await rm(join(folder, 'a.gguf'));
    assert.deepEqual(await reload(corral), []);
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(whole, 'a', LONG);
    const { pid } = await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1', how: 'stopped' });
    assert.equal(isAlive(Number(pid)), false);
  });

  it('by a reload that changes nothing, nor is its server', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', LONG);
    assert.deepEqual(await reload(corral), ['a', 'b']);
    await rm(join(folder, 'b.gguf'));
    assert.deepEqual(await reload(corral), ['a']);
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.deepEqual(corral.log.all({ msg: 'replica draining' }), []);
  });

  it('by eviction: of two models the busy one stays, though it was used before the other', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b', 'c'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '2']);
    await chat(corral, 'b');
    const stream = await startStream(corral, 'a', 2 * LONG);
    const goOn = stopServer(corral, 'a');
    await chat(corral, 'b');
    await assertWhole(chat(corral, 'c'), 'c', 2);
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', 2 * LONG);
    assert.deepEqual(corral.log.all({ msg: 'replica gone', replica: 'a#2' }), []);
  });

  it('by eviction: with all busy, who waits is served when the first has ended', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1']);
    const stream = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const waiter = chat(corral, 'b');
    await untilListed(corral, 'b', 'loading');
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(waiter, 'b', 2);
    const { log } = corral;
    const drain = await log.indexOf({ msg: 'replica draining', replica: 'a#1', cause: 'evicted' });
    assert.ok(drain < (await log.indexOf({ msg: 'replica gone', replica: 'a#1' })));
    assert.deepEqual(corral.starts().at(1)?.besides, []);
  });

  it('by an order to unload its model', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const unloaded = await fetch(`${corral.url}/models/unload`, { method: 'POST', body: '{"model":"a"}' });
    assert.equal(unloaded.status, 200);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'ordered' });
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1', how: 'stopped' });
  });

  it('by SIGTERM: streams finish, who waits is answered 503, then no child is left', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1']);
    const stream = await startStream(corral, 'a', LONG);
    const whole = chat(corral, 'a', LONG);
    await untilProcessing(corral, 'a', 2);
    const goOn = stopServer(corral, 'a');
    const waiter = assert.rejects(chat(corral, 'b'), { status: 503, code: 'shutting_down' });
    await untilListed(corral, 'b', 'loading');
    corral.kill('SIGTERM');
    await waiter;
    assert.equal(stream.isOver(), false);
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(whole, 'a', LONG);
    assert.deepEqual(await corral.exited, { code: 0, signal: null, stderr: '' });
    assert.deepEqual(
      corral.starts().map(({ pid }) => isAlive(pid)),
      [false],
    );
    const { log } = corral;
    assert.ok(
      (await log.indexOf({ msg: 'replica gone', replica: 'a#1', how: 'stopped' })) <
        (await log.indexOf({ msg: 'ended' })),
    );
  });

  it('except by further signals, which end everything at once and leave no child', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', 1500);
    corral.kill('SIGTERM');
    await corral.log.waitFor({ msg: 'ending: requests in flight are finished first; a second signal ends at once' });
    // One that comes at once may be an echo of the first, as under npm.
    const insisting = setInterval(() => {
      corral.kill('SIGTERM');
    }, 100);
    t.after(() => {
      clearInterval(insisting);
    });
    await assert.rejects(stream.whole);
    assert.equal((await corral.exited).code, 1);
    for (const { pid } of corral.starts()) await untilDead(pid);
  });

  it('accepts nothing new while it ends', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    corral.kill('SIGTERM');
    await corral.log.waitFor({ msg: 'ending: requests in flight are finished first; a second signal ends at once' });
    await assert.rejects(fetch(corral.url), TypeError);
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    assert.equal((await corral.exited).code, 0);
  });
});
