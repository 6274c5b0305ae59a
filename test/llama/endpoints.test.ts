import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CLOSED_NAMES, ENDPOINTS, pathText } from '../../src/edge/endpoints.ts';
import { ask, errorOf, type Got } from '../../src/testing/http-kit.ts';
import { chat, clientOf, get, post, question } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const PAGE = 'http://localhost:5173';

/** What a body needs besides `model`, so that llama-server takes it. */
const FIELDS: object = {
  ...question('a', 1),
  ...{ prompt: 'hello', input: 'hello', content: 'hello', tokens: [104, 105], n_predict: 1 },
  ...{ query: 'hello', documents: ['hello', 'you'], input_prefix: 'a', input_suffix: 'b', max_output_tokens: 1 },
};

/** llama-server does not know the path. */
const isUnknownThere = ({ status, text }: Got): boolean => status === 404 && text.includes('File Not Found');

describe('the endpoints of corral serve', suite, () => {
  it('are all known to llama-server, by every path', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const forwarded = ENDPOINTS.filter((one) => one.handling === 'forward' && one.model === 'json');
    const paths = forwarded.flatMap((one) => one.paths.map(pathText));
    const statuses = new Map<string, number>();
    for (const path of paths) {
      const got = await post(corral, path, { ...FIELDS, model: 'a' });
      assert.ok(!isUnknownThere(got), `${path}: ${got.text}`);
      statuses.set(path, got.status);
    }
    const answered = paths.filter((path) => statuses.get(path) === 200);
    // What only models of another kind can do: embed, rank, fill in.
    const expected = paths.filter((path) => !/embedding|rerank|infill/u.test(path));
    assert.deepEqual(answered, expected);
    assert.equal(corral.starts().length, 1);
  });

  it('show one model by its name, to the openai client too, and load none for it', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const { id, object, owned_by } = await clientOf(corral).models.retrieve('a');
    assert.deepEqual({ id, object, owned_by }, { id: 'a', object: 'model', owned_by: 'llamacpp' });
    await assert.rejects(clientOf(corral).models.retrieve('org/b'), { status: 404, code: 'model_not_found' });
    assert.deepEqual(corral.starts(), []);
  });

  it('are open to the pages that are named, though llama-server says otherwise', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, [
      '--models-dir',
      folder,
      '--cors-origins',
      'localhost',
      '--no-cors-credentials',
    ]);
    const body = JSON.stringify(question('a', 1));
    const allowed = async (origin: string): Promise<unknown> => {
      const { status, headers } = await ask(corral, { body, headers: { origin, 'content-type': 'application/json' } });
      return [status, headers['access-control-allow-origin'], headers['access-control-allow-credentials']];
    };
    assert.deepEqual(await allowed(PAGE), [200, PAGE, undefined]);
    assert.deepEqual(await allowed('https://evil.example'), [403, undefined, undefined]);
    const preflight = await ask(corral, {
      method: 'OPTIONS',
      headers: { origin: PAGE, 'access-control-request-headers': 'authorization' },
    });
    assert.deepEqual([preflight.status, preflight.headers['access-control-allow-headers']], [204, 'authorization']);
  });

  it('that are closed stay so unless they are opened', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--metrics', '--props', '--slot-save-path', folder]);
    await chat(corral, 'a');
    for (const path of ['/props', '/metrics', '/lora-adapters']) {
      assert.equal((await get(corral, `${path}?model=a`)).status, 404);
    }
    for (const path of ['/slots/0?action=erase&model=a', '/lora-adapters?model=a', '/props?model=a']) {
      assert.equal((await post(corral, path, {})).status, 404);
    }
  });

  it('do what llama-server does where they are opened', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b']);
    const corral = await startCorral(t, [
      ...['--models-dir', folder, '--metrics', '--props', '--slot-save-path', join(folder, '/')],
      ...CLOSED_NAMES.flatMap((name) => ['--open-endpoint', name]),
    ]);
    const unloaded = await get(corral, '/props?model=a');
    assert.deepEqual([unloaded.status, errorOf(unloaded).get('code')], [400, 'model_not_loaded']);
    assert.deepEqual(corral.starts(), []);
    await chat(corral, 'a');
    const saved = await post(corral, '/slots/0?action=save&model=a', { filename: 'slot.bin' });
    assert.equal(saved.status, 200, saved.text);
    assert.match(saved.text, /"filename":"slot\.bin"/u);
    assert.equal((await post(corral, '/slots/0?action=restore&model=a', { filename: 'slot.bin' })).status, 200);
    assert.match((await get(corral, '/props?model=a')).text, /"model_path":/u);
    assert.match((await get(corral, '/metrics?model=a')).text, /^llamacpp:/mu);
    assert.deepEqual(JSON.parse((await get(corral, '/lora-adapters?model=a')).text), []);
    assert.equal((await post(corral, '/lora-adapters?model=a', [])).status, 200);
    assert.equal((await post(corral, '/props?model=a', {})).status, 200);
    assert.equal(corral.starts().length, 1);
  });
});
