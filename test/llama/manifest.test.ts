import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../../src/testing/http-kit.ts';
import { assertWhole, chat, post } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { listModels, reload } from '../support/look.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { renderTinyAdapter } from '../support/tiny-adapter.ts';
import { tinyModels } from '../support/tiny-models.ts';

const manifest = (path: string, paused = false, tokens = 3): string => `
apiVersion: corral.dev/v1alpha1
kind: ModelPool
metadata: { name: default }
spec:
  paused: ${paused}
  defaults:
    args: [--ctx-size=512]
    env: [{ name: CORRAL_TEST, value: from the pool }]
  capacity: { maxLoaded: 1 }
  eviction: { policy: LRUByIdle, minResidency: 0s, fairAfter: 30s }
---
apiVersion: corral.dev/v1alpha1
kind: ModelDeployment
metadata: { name: models, namespace: team }
spec:
  defaults:
    args: [--parallel=2]
    scaling: { idleTimeout: 15m }
  presets:
    - name: small
      model: tiny/small:f32
      aliases: [small, petit]
      tags: [test]
      source: { path: ${path} }
      variants:
        - { model: short, parameters: { max_tokens: ${tokens}, n_predict: ${tokens}, model_name: x } }
    - name: other
      source: { path: ${path} }
      args: [--ctx-size=256]
    - name: by-order
      source: { path: ${path} }
      scaling: { autoload: false, idleTimeout: 200ms }
`;

describe('corral serve -f', suite, () => {
  const serve = async (t: TestContext): Promise<{ corral: ServingCorral; file: string; path: string }> => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'models.yaml');
    await writeFile(file, manifest(path));
    return { corral: await startCorral(t, ['-f', file]), file, path };
  };

  it('serves the presets of a ModelDeployment under their names and aliases', async (t) => {
    const { corral } = await serve(t);
    const models = await listModels(corral);
    assert.deepEqual(
      models.map(({ id, aliases, tags, source }) => ({ id, aliases, tags, source })),
      [
        { id: 'tiny/small:f32', aliases: ['small', 'petit', 'short'], tags: ['test'], source: 'manifest' },
        { id: 'other', aliases: [], tags: [], source: 'manifest' },
        { id: 'by-order', aliases: [], tags: [], source: 'manifest' },
      ],
    );
    for (const name of ['tiny/small:f32', 'petit', 'small']) await assertWhole(chat(corral, name), 'tiny/small:f32', 2);
    assert.equal(corral.starts().length, 1);
  });

  it('gives a llama-server the further files of its model: an adapter changes what it says, a draft model does not', async (t) => {
    const folder = await tempFolder(t);
    const [path = '', draft = ''] = await tinyModels(folder, ['a', 'draft']);
    const adapter = join(folder, 'of,a.gguf');
    await writeFile(adapter, renderTinyAdapter());
    const file = join(folder, 'models.yaml');
    const preset = (name: string, arg: string, from: string): string =>
      `  - { name: ${name}, source: { path: ${path} }, files: [{ arg: ${arg}, source: { path: '${from}' } }] }`;
    await writeFile(
      file,
      `apiVersion: corral.dev/v1alpha1
kind: ModelDeployment
metadata: { name: models }
spec:
  presets:
  - { name: plain, source: { path: ${path} } }
${preset('adapted', 'lora', adapter)}
${preset('sooner', 'model-draft', draft)}
`,
    );
    const corral = await startCorral(t, ['-f', file]);
    const said = async (model: string): Promise<string> => {
      const body = JSON.stringify({ model, prompt: 'hello', n_predict: 16, temperature: 0, ignore_eos: true });
      const { text } = await ask(corral, { path: '/completion', body });
      return (JSON.parse(text) as { readonly content: string }).content;
    };
    const [plain, adapted, sooner] = [await said('plain'), await said('adapted'), await said('sooner')];
    assert.ok(plain.length > 0);
    assert.notEqual(adapted, plain);
    assert.equal(sooner, plain);
  });

  it("takes a variant's fields instead of the client's, from the llama-server of its model, and follows an edit at once", async (t) => {
    const { corral, file, path } = await serve(t);
    await assertWhole(chat(corral, 'small', 8), 'tiny/small:f32', 8);
    await assertWhole(chat(corral, 'short', 8), 'tiny/small:f32', 3);
    // Of equal keys the last one counts, whether the client's or the variant's, also on llama-server's own endpoint.
    const body = '{"n_predict":7,"prompt":"x","ignore_eos":true,"n_predict":6,"model":"NAME"} ';
    for (const [name, tokens] of [['petit', 6] as const, ['short', 3] as const]) {
      const { text } = await ask(corral, { path: '/completion', body: body.replace('NAME', name) });
      assert.equal((JSON.parse(text) as { tokens_predicted: number }).tokens_predicted, tokens, name);
    }
    await writeFile(file, manifest(path, false, 5));
    await reload(corral);
    await assertWhole(chat(corral, 'short', 8), 'tiny/small:f32', 5);
    assert.equal(corral.starts().length, 1);
  });

  it('merges the options of pool, deployment and preset, and keeps to the room of the pool', async (t) => {
    const { corral } = await serve(t);
    await chat(corral, 'small');
    await chat(corral, 'other');
    const [small, other] = corral.starts();
    assert.match(small?.args ?? '', /--ctx-size 512 .*--parallel 2 /);
    assert.match(other?.args ?? '', /--parallel 2 .*--ctx-size 256 |--ctx-size 256 .*--parallel 2 /);
    assert.deepEqual(other?.besides, []);
  });

  it('loads what has no autoload by order only, and ends it after its own idle timeout', async (t) => {
    const { corral } = await serve(t);
    await assert.rejects(chat(corral, 'by-order'), { status: 400, code: 'model_not_loaded' });
    await post(corral, '/models/load', { model: 'by-order' });
    await assertWhole(chat(corral, 'by-order'), 'by-order', 2);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'by-order#1', cause: 'idle' });
    await corral.log.waitFor({ msg: 'replica gone', replica: 'by-order#1', how: 'stopped' });
  });

  it('unloads all and starts nothing while the pool is paused, and says so', async (t) => {
    const { corral, file, path } = await serve(t);
    await chat(corral, 'small');
    await writeFile(file, manifest(path, true));
    await reload(corral);
    await corral.log.waitFor({ msg: 'replica draining', cause: 'paused' });
    await corral.log.waitFor({ msg: 'replica gone', how: 'stopped' });
    await assert.rejects(chat(corral, 'small'), { status: 503, code: 'pool_paused' });
    await writeFile(file, manifest(path));
    await reload(corral);
    await assertWhole(chat(corral, 'small'), 'tiny/small:f32', 2);
    assert.equal(corral.starts().length, 2);
  });
});
