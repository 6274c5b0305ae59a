import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { listModels, namesOf, reload, untilListed } from '../support/look.ts';
import { deployment, pool } from '../support/manifests.ts';
import { isAlive } from '../support/recorder.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** Long enough to be under way when its server is stopped. */
const LONG = 300;

describe('a reload while somebody waits', suite, () => {
  /** Slow models `a` and `b` with room for one; A streams, and nobody has asked for B. */
  const startBusy = async (t: TestContext): Promise<{ corral: ServingCorral; folder: string }> => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    return { folder, corral: await startCorral(t, ['--models-dir', folder, '--models-max', '1']) };
  };

  it('that removes A, for whose end B waits, lets A finish and B go on, and brings no A back', async (t) => {
    const { corral, folder } = await startBusy(t);
    const a = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const b = chat(corral, 'b');
    await untilListed(corral, 'b', 'loading');
    await rm(join(folder, 'a.gguf'));
    assert.deepEqual(await reload(corral), ['b']);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'removed' });
    assert.equal(a.isOver(), false, 'the reload came while A was busy');
    goOn();
    await assert.rejects(chat(corral, 'a'), { status: 404, code: 'model_not_found' });
    await assertWhole(a.whole, 'a', LONG);
    await assertWhole(b, 'b', 2);
    await assertSwapped(corral);
    assert.deepEqual(namesOf(await listModels(corral)), ['b']);
  });

  it('that removes A while it drains for B, lets A finish and B go on, and brings no A back', async (t) => {
    const folder = await tempFolder(t);
    const [a = '', b = ''] = await tinyModels(folder, ['a', 'b'], 'slow');
    const file = join(folder, 'models.yaml');
    const room = pool({ maxLoaded: 1, fairAfter: '50ms' });
    await writeFile(file, room + deployment('one', { a }) + deployment('two', { b }));
    const corral = await startCorral(t, ['-f', file]);
    const stream = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const waiter = chat(corral, 'b');
    await corral.log.waitFor({ msg: 'replica draining', replica: 'a#1', cause: 'fairness' });
    await writeFile(file, room + deployment('two', { b }));
    assert.deepEqual(await reload(corral), ['b']);
    assert.equal(stream.isOver(), false, 'the reload came while A was draining');
    goOn();
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(waiter, 'b', 2);
    await assertSwapped(corral);
    assert.deepEqual(namesOf(await listModels(corral)), ['b']);
  });

  it('that removes B answers its waiters 404 at once, and starts nothing', async (t) => {
    const { corral, folder } = await startBusy(t);
    const a = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const waiters = [chat(corral, 'b'), startStream(corral, 'b', 2), chat(corral, 'b')].map(async (waiter) =>
      assert.rejects(waiter, { status: 404, code: 'model_not_found' }),
    );
    await untilListed(corral, 'b', 'loading');
    await rm(join(folder, 'b.gguf'));
    assert.deepEqual(await reload(corral), ['a']);
    await Promise.all(waiters);
    assert.equal(a.isOver(), false, 'the answer did not wait for A');
    goOn();
    await assertWhole(a.whole, 'a', LONG);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.equal((await corral.stop()).code, 0);
    const [only, ...more] = corral.starts();
    assert.match(only?.args ?? '', /--alias a /);
    assert.deepEqual(more, []);
  });

  it('that puts sections over models of the folder keeps the server of A and who waits for B, and so does one without them', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const file = join(folder, 'models.ini');
    await writeFile(file, '');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-preset', file, '--models-max', '1']);
    const a = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const b = chat(corral, 'b');
    await untilListed(corral, 'b', 'loading');
    for (const text of ['[a]\nalias = x\n[b]\nalias = y\n', '']) {
      await writeFile(file, text);
      await reload(corral);
      assert.deepEqual((await listModels(corral)).map(({ id, status }) => [id, status.value]).sort(), [
        ['a', 'loaded'],
        ['b', 'loading'],
      ]);
    }
    goOn();
    await assertWhole(a.whole, 'a', LONG);
    await assertWhole(b, 'b', 2);
    await assertSwapped(corral);
  });

  it("that gives B's name to another deployment answers who waited for the first 404, and serves the new one", async (t) => {
    const folder = await tempFolder(t);
    const [a = '', b = ''] = await tinyModels(folder, ['a', 'b'], 'slow');
    const file = join(folder, 'models.yaml');
    const room = pool({ maxLoaded: 1, fairAfter: '30s' });
    await writeFile(file, room + deployment('one', { a }) + deployment('two', { b }));
    const corral = await startCorral(t, ['-f', file]);
    const stream = await startStream(corral, 'a', LONG);
    const goOn = stopServer(corral, 'a');
    const waiter = assert.rejects(chat(corral, 'b'), { status: 404, code: 'model_not_found' });
    await untilListed(corral, 'b', 'loading');
    await writeFile(file, room + deployment('one', { a }) + deployment('three', { b }));
    assert.deepEqual(await reload(corral), ['a', 'b']);
    await waiter;
    assert.equal(stream.isOver(), false);
    goOn();
    assert.equal(corral.starts().length, 1);
    await assertWhole(stream.whole, 'a', LONG);
    await assertWhole(chat(corral, 'b'), 'b', 2);
  });

  it('that still reads when Corral is told to end is answered 503, holds no end up, and changes nothing when it has read', async (t) => {
    const folder = await tempFolder(t);
    const [a = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'models.yaml');
    await writeFile(file, deployment('one', { a }));
    const corral = await startCorral(t, ['-f', file]);
    await rm(file);
    execFileSync('mkfifo', [file]);
    const answered = assert.rejects(reload(corral), /answered 503: .*shutting_down/u);
    // Opens once Corral reads it, which then waits for what nobody writes.
    const writer = await open(file, 'w');
    const stopped = corral.stop();
    await answered;
    await corral.log.waitFor({ msg: 'ended' });
    await writer.writeFile(deployment('one', { a }));
    await writer.close();
    assert.equal((await stopped).code, 0);
    assert.deepEqual(corral.log.all({ msg: 'reloaded' }), []);
  });
});

/** A has gone before B was started, and nothing else was started. */
async function assertSwapped(corral: ServingCorral): Promise<void> {
  const [a, b, ...more] = corral.starts();
  assert.match(a?.args ?? '', /--model \S+a\.gguf .*--alias a /);
  assert.match(b?.args ?? '', /--model \S+b\.gguf .*--alias b /);
  assert.deepEqual(b?.besides, []);
  assert.deepEqual(more, []);
  assert.equal(isAlive(Number(a?.pid)), false);
  const { log } = corral;
  assert.ok(
    (await log.indexOf({ msg: 'replica gone', replica: 'a#1' })) <
      (await log.indexOf({ msg: 'replica started', replica: 'b#2' })),
  );
}
