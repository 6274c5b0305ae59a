import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertWhole, chat } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { listModels } from '../support/look.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/corral');

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `corral plan` as a user does. */
const plan = async ({ url }: Pick<ServingCorral, 'url'>, ...args: readonly string[]): Promise<Told> =>
  new Promise((resolve) => {
    const child = execFile(PROGRAM, ['plan', ...args, '--url', url], (_error, stdout, stderr) => {
      resolve({ code: Number(child.exitCode), stdout, stderr });
    });
  });

describe('corral plan', suite, () => {
  it('says who would leave, changes nothing, and is right', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b', 'c']);
    const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '2']);
    const statuses = async (): Promise<string[]> =>
      (await listModels(corral)).map(({ id, status }) => `${id} ${status.value}`);

    assert.equal((await plan(corral, 'c')).stdout, 'c would be started at once.\n');
    assert.deepEqual(await statuses(), ['a unloaded', 'b unloaded', 'c unloaded'], 'a look loads nothing');

    await assertWhole(chat(corral, 'b'), 'b', 2);
    await assertWhole(chat(corral, 'a'), 'a', 2);
    const told = await plan(corral, 'c');
    assert.match(told.stdout, /^c would wait for 1 model to leave:\n {2}b {2}idle for \d+ s {2}evicted\n/u);
    assert.equal(told.code, 0, told.stderr);
    assert.deepEqual(await statuses(), ['a loaded', 'b loaded', 'c unloaded'], 'a look unloads nothing');

    await assertWhole(chat(corral, 'c'), 'c', 2);
    assert.deepEqual(await statuses(), ['a loaded', 'b unloaded', 'c loaded']);
    await corral.log.waitFor({ msg: 'replica draining', replica: 'b#1', cause: 'evicted' });
    assert.match((await plan(corral, 'c', '--json')).stdout, /^\{"model":"c",.*"outcome":"ready"/u);
  });

  it('needs a key where there are keys', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--api-key', 'secret']);
    const without = await plan(corral, 'a');
    assert.deepEqual([without.code, without.stdout], [1, '']);
    assert.match(without.stderr, /401 invalid_api_key/u);
    assert.equal((await plan(corral, 'a', '--api-key', 'secret')).stdout, 'a would be started at once.\n');
  });

  it('ends with 2 for an unknown model, and with 1 where nobody listens', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    const unknown = await plan(corral, 'b');
    assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /^corral plan: the model "b" does not exist/u);
    await corral.stop();
    const nobody = await plan(corral, 'a');
    assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
    assert.match(nobody.stderr, /^corral plan: http:\S+ cannot be asked: .*--url/u);
  });
});
