import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, errorOf } from '../../src/testing/http-kit.ts';
import { assertWhole, chat, clientOf, get, post, question, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { listModels, namesOf, reload, untilListed } from '../support/look.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

describe('corral serve', suite, () => {
  it('lists the models of a folder and answers the openai client, streaming and not', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const listed = [];
    for await (const { id } of clientOf(corral).models.list()) listed.push(id);
    assert.deepEqual(listed, ['a', 'b']);
    assert.deepEqual(corral.starts(), []);
    await assertWhole(chat(corral, 'a', 5), 'a', 5);
    await assertWhole((await startStream(corral, 'b', 20)).whole, 'b', 20);
  });

  it('loses no request that follows a stream at once, though llama-server closes the connection behind it', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const body = JSON.stringify({ ...question('a', 1), stream: true });
    const headers = { 'content-type': 'application/json' };
    for (let turn = 0; turn < 200; turn += 1) {
      const { status, text } = await ask(corral, { path: '/v1/chat/completions', body, headers });
      assert.equal(status, 200, text);
      assert.ok(text.endsWith('data: [DONE]\n\n'));
    }
    assert.equal(corral.starts().length, 1);
  });

  it("lists models in the shape of llama-server's router, on both of its paths", async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    await chat(corral, 'a');
    const models = await listModels(corral);
    assert.deepEqual(
      models.map(({ id, source, status: { value, phase } }) => ({ id, source, value, phase })),
      [
        { id: 'a', source: 'models_dir', value: 'loaded', phase: 'ready' },
        { id: 'b', source: 'models_dir', value: 'unloaded', phase: 'unloaded' },
      ],
    );
    assert.deepEqual(await listModels(corral, '/v1/models'), models);
  });

  it('serves a presets file: sections, [*], comments and aliases', async (t) => {
    const folder = await tempFolder(t);
    const [first = '', second = ''] = await tinyModels(folder, ['x', 'y']);
    const file = join(folder, 'presets.ini');
    await writeFile(
      file,
      `; a comment\n[*]\nctx-size = 512\n\n[first]\nmodel = ${first}\nalias = one, uno\n` +
        `# another\n[second]\nmodel = ${second}  ; and one more\nctx-size = 256\n`,
    );
    const corral = await startCorral(t, ['--models-preset', file]);
    const models = await listModels(corral);
    assert.deepEqual(
      models.map(({ id, aliases }) => [id, aliases]),
      [
        ['first', ['one', 'uno']],
        ['second', []],
      ],
    );
    await assertWhole(chat(corral, 'uno'), 'first', 2);
    await assertWhole(chat(corral, 'one'), 'first', 2);
    await assertWhole(chat(corral, 'second'), 'second', 2);
    const [one, two, ...more] = corral.starts().map(({ args }) => args);
    assert.deepEqual(more, []);
    assert.match(one ?? '', /--ctx-size 512 .*--alias first /);
    assert.match(two ?? '', /--ctx-size 256 .*--alias second /);
  });

  it("passes llama-server's own options of the command line to every model, over what presets say", async (t) => {
    const folder = await tempFolder(t);
    const [model = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[p]\nmodel = ${model}\nctx-size = 256\n`);
    const corral = await startCorral(t, ['--models-preset', file, '-c', '1024']);
    await chat(corral, 'p');
    assert.match(corral.starts().at(0)?.args ?? '', /--ctx-size 1024 /);
  });

  it('answers /health while nothing is loaded, and loads nothing for it', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    assert.deepEqual(JSON.parse((await get(corral, '/health')).text), { status: 'ok' });
    assert.deepEqual(corral.starts(), []);
  });

  it('shows the slots of a loaded model, and loads none for a look', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b']);
    const corral = await startCorral(t, ['--models-dir', folder, '--parallel', '3']);
    const unloaded = await get(corral, '/slots?model=a');
    assert.equal(unloaded.status, 400);
    assert.equal(errorOf(unloaded).get('code'), 'model_not_loaded');
    await chat(corral, 'b');
    const slots = await get(corral, '/slots?model=b');
    assert.equal((JSON.parse(slots.text) as unknown[]).length, 3);
    assert.equal(corral.starts().length, 1);
  });

  it('takes up a new model at a reload, which is answered when it is done', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    await tinyModels(folder, ['b']);
    assert.deepEqual(namesOf(await listModels(corral)), ['a']);
    assert.deepEqual(await reload(corral), ['a', 'b']);
    await assertWhole(chat(corral, 'b'), 'b', 2);
  });

  it('loads and unloads by order', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const order = async (what: string, model: string): Promise<[number, unknown]> => {
      const { status, text } = await post(corral, `/models/${what}`, { model });
      return [status, JSON.parse(text)];
    };
    assert.deepEqual(await order('load', 'a'), [200, { success: true, outcome: 'ordered' }]);
    const { pid } = await corral.log.waitFor({ msg: 'replica ready', replica: 'a#1' });
    assert.equal((await order('load', 'a'))[0], 400);
    assert.deepEqual(await order('unload', 'a'), [200, { success: true, outcome: 'ordered' }]);
    await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1', how: 'stopped', pid });
    await untilListed(corral, 'a', 'unloaded');
    assert.equal((await order('unload', 'a'))[0], 400);
    assert.equal((await order('load', 'nobody'))[0], 404);
    assert.equal((await order('unload', 'nobody'))[0], 404);
    assert.equal(corral.starts().length, 1);
  });

  it('answers an awaited order when it is done, and lists meanwhile who waits for whom', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1', '--no-models-autoload']);
    const order = async (what: string, model: string): Promise<string> =>
      (await post(corral, `/models/${what}?wait=true`, { model })).text;
    assert.equal(await order('load', 'a'), '{"success":true,"outcome":"loaded"}');
    const stream = await startStream(corral, 'a', 400);
    const waiting = order('load', 'b');
    await untilListed(corral, 'b', 'loading');
    const [a, b] = await listModels(corral);
    assert.deepEqual([a?.status.phase, typeof a?.status.expected_load_ms], ['ready', 'number']);
    assert.deepEqual([b?.status.phase, b?.status.reason], ['waiting', 'WaitingForCapacity']);
    assert.deepEqual([b?.status.position, b?.status.holders], [1, ['a']]);
    await assertWhole(stream.whole, 'a', 400);
    assert.equal(await waiting, '{"success":true,"outcome":"loaded"}');
    assert.equal(await order('unload', 'b'), '{"success":true,"outcome":"unloaded"}');
    await corral.log.waitFor({ msg: 'replica gone', replica: 'b#2', how: 'stopped' });
    assert.deepEqual(
      (await listModels(corral)).map(({ status }) => status.phase),
      ['unloaded', 'unloaded'],
    );
  });

  it('loads at its start what is declared so, and no other', async (t) => {
    const folder = await tempFolder(t);
    const [a = '', b = ''] = await tinyModels(folder, ['a', 'b']);
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[a]\nmodel = ${a}\n[b]\nmodel = ${b}\nload-on-startup = true\n`);
    const corral = await startCorral(t, ['--models-preset', file]);
    await corral.log.waitFor({ msg: 'replica ready', replica: 'b#1' });
    assert.equal(corral.starts().length, 1);
  });

  it('without autoload it answers at once that a model is not loaded, until it is loaded by order', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--no-models-autoload']);
    await assert.rejects(chat(corral, 'a'), { status: 400, code: 'model_not_loaded' });
    assert.deepEqual(corral.starts(), []);
    await post(corral, '/models/load', { model: 'a' });
    await assertWhole(chat(corral, 'a'), 'a', 2);
  });

  it('listens on the address it is told', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--host', '0.0.0.0']);
    assert.match(corral.url, /^http:\/\/0\.0\.0\.0:\d+$/);
    assert.equal((await get(corral, '/health')).status, 200);
  });
});
