import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { AuthenticationError, NotFoundError } from 'openai';
import { ask } from '../../src/testing/http-kit.ts';
import { assertWhole, chat, clientOf, startStream } from '../support/chat.ts';
import { spawnCorral, startCorral, suite } from '../support/corral.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/corral');
const run = promisify(execFile);

/** Makes a key as a user does: its entry is added to the file, and it is shown beside. */
async function makeKey(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(PROGRAM, ['key', ...args]);
  await appendFile(file, stdout);
  const key = /^corral_\S+$/mu.exec(stderr)?.[0];
  assert.ok(key !== undefined, stderr);
  return key;
}

async function namesFor(url: string, apiKey: string): Promise<string[]> {
  const names = [];
  for await (const { id } of clientOf({ url, apiKey }).models.list()) names.push(id);
  return names;
}

describe('keys', suite, () => {
  it('of a keys file let the openai client use its models, until they are taken out of the file', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    await tinyModels(folder, ['b']);
    const file = join(folder, 'keys.yaml');
    await writeFile(file, 'keys:\n');
    const keyA = await makeKey(file, '--id', 'tenant-a', '--models', 'a*');
    const before = await readFile(file, 'utf8');
    const keyB = await makeKey(file, '--id', 'tenant-b', '--models', 'b');
    const { url, ...corral } = await startCorral(t, ['--models-dir', folder, '--keys-file', file]);
    const [tenantA, tenantB] = [
      { url, apiKey: keyA },
      { url, apiKey: keyB },
    ];

    await assert.rejects(chat({ url }, 'a'), AuthenticationError);
    await assert.rejects(chat({ url, apiKey: `${keyA}x` }, 'a'), AuthenticationError);
    assert.deepEqual(await namesFor(url, keyA), ['a']);
    assert.deepEqual(await namesFor(url, keyB), ['b']);
    await assert.rejects(chat(tenantA, 'b'), NotFoundError);
    await assertWhole(chat(tenantB, 'b', 3), 'b', 3);

    const { whole, isOver } = await startStream(tenantA, 'a', 400);
    const goOn = stopServer(corral, 'a');
    await writeFile(
      file,
      before.replace(/^- id: "tenant-a"/mu, '- id: "tenant-c"').replace(/[0-9a-f]{64}/u, 'f'.repeat(64)),
    );
    await corral.log.waitFor({ msg: 'the keys were read again' });
    assert.ok(!isOver(), 'the stream was still under way');
    goOn();
    await assert.rejects(chat(tenantA, 'a'), AuthenticationError);
    await assert.rejects(chat(tenantB, 'b'), AuthenticationError);
    await assertWhole(whole, 'a', 400);
    const told = [JSON.stringify(corral.log.lines), corral.starts().map(({ args }) => args)].join('\n');
    for (const key of [keyA, keyB]) assert.ok(!told.includes(key.slice(7)), 'a key is in the log or a command line');
    assert.match(told, /"keyId":"tenant-a"/u);
  });

  it("are read as llama-server's own options, and no llama-server is told of them", async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const file = join(folder, 'keys.txt');
    await writeFile(file, '# mine\nsecret-of-file\n');
    const env = { LLAMA_API_KEY: 'secret-one,secret-two' };
    const corral = await startCorral(t, ['--models-dir', folder, '--api-key-file', file], { env });
    for (const apiKey of ['secret-one', 'secret-two', 'secret-of-file']) {
      await assertWhole(chat({ url: corral.url, apiKey }, 'a', 2), 'a', 2);
    }
    await assert.rejects(chat(corral, 'a'), AuthenticationError);
    const headers = { 'x-api-key': 'secret-one', 'content-type': 'application/json' };
    const load = await ask(corral, { path: '/models/load', headers, body: '{"model":"a"}' });
    assert.equal(load.status, 400, 'it is loaded, and whoever has the key may ask that');
    assert.doesNotMatch(JSON.stringify([corral.log.lines, corral.starts()]), /secret-/u);
  });

  it('that are wrong at the start are named without their value; exit code 2, and nothing is started', async (t) => {
    const folder = await tempFolder(t);
    const file = join(folder, 'keys.yaml');
    await writeFile(file, 'keys:\n- id: a\n  key: corral_secret\n');
    for (const [args, words] of [
      [
        ['--keys-file', file],
        /keys\.yaml:3:3: keys\[0\]\.key: a key must not stand in this file in clear text\. .*corral key/u,
      ],
      [['--keys-file', join(folder, 'none.yaml')], /none\.yaml: there is no such file/u],
      [['--api-key', 'secret\u0007'], /--api-key or LLAMA_API_KEY: a key must not/u],
      [['--api-key-file', folder], /this is a folder, not a file/u],
    ] as const) {
      const corral = await spawnCorral(t, ['--models-dir', folder, ...args]);
      const { code, stderr } = await corral.exited;
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /secret/u);
      assert.deepEqual(corral.log.all({ msg: 'listening' }), []);
    }
  });
});
