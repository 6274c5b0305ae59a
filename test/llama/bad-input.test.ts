import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { APIError } from 'openai';
import { assertWhole, chat, startStream } from '../support/chat.ts';
import { spawnCorral, startCorral, suite } from '../support/corral.ts';
import { listModels, reload } from '../support/look.ts';
import { deployment } from '../support/manifests.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** Starts a Corral that must not get to serve, and returns what it says. */
async function refusal(t: TestContext, args: readonly string[], code: number): Promise<string> {
  const corral = await spawnCorral(t, args);
  const exit = await corral.exited;
  assert.equal(exit.code, code, exit.stderr);
  assert.deepEqual(corral.log.all({ msg: 'listening' }), []);
  assert.deepEqual(corral.starts(), []);
  return exit.stderr;
}

describe('a declaration with an error', suite, () => {
  it('in a presets file is named with file, line, field and reason; exit code 2, and nothing is started', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[a]\nmodel = ${path}\nload-on-startup = true\nctx-sise = 512\nidle-timeout = soon\n`);
    const told = await refusal(t, ['--models-preset', file], 2);
    const [first = '', second = '', ...more] = told.split('\n');
    assert.equal(
      first.startsWith(`corral serve: ${file}:4: ctx-sise: neither corral nor llama-server v0.5.0 has`),
      true,
      told,
    );
    assert.match(first, /ctx-size/);
    assert.equal(second.startsWith(`corral serve: ${file}:5: idle-timeout: 'soon' is no length of time`), true, told);
    assert.deepEqual(more, ['']);
  });

  it('in a manifest is named with file, line, field and reason; exit code 2, and nothing is started', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'models.yaml');
    const text = deployment('one', { a: path });
    await writeFile(file, `${text}    - { name: b, source: { path: x, huggingFace: { repo: y/z } }, argz: [] }\n`);
    const told = await refusal(t, ['-f', file], 2);
    assert.match(told, /^(corral serve: \S+models\.yaml:\d+:\d+: spec\.presets\[1\][^\n]+\n)+$/);
    assert.match(told, /models\.yaml:8:\d+: spec\.presets\[1\]\.argz: /);
    assert.match(
      told,
      /models\.yaml:8:\d+: spec\.presets\[1\]\.source: must have exactly one of path, persistentVolumeClaim/,
    );
  });

  it('in YAML itself, in a name that two models have, or in a file that is not there, too', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a']);
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, 'kind: [ModelDeployment\n');
    assert.match(await refusal(t, ['-f', broken], 2), /broken\.yaml:\d+:\d+: /);
    const twice = join(folder, 'twice.yaml');
    await writeFile(twice, deployment('one', { a: path }));
    const told = await refusal(t, ['-f', twice, '--models-dir', folder], 2);
    assert.match(told, /twice\.yaml:\d+:\d+: .*the name 'a' is taken by \S+a\.gguf/);
    assert.match(await refusal(t, ['-f', join(folder, 'absent.yaml')], 2), /absent\.yaml: /);
    assert.match(await refusal(t, ['--models-dir', join(folder, 'absent')], 2), /absent: there is no such folder/);
  });

  it('on the command line, too', async (t) => {
    const folder = await tempFolder(t);
    assert.match(await refusal(t, ['--models-dir', folder, '--models-maks', '1'], 2), /--models-maks.*--models-max/s);
    assert.match(await refusal(t, ['--models-dir', folder, '--models-max', 'few'], 2), /'few' is invalid/);
    assert.match(await refusal(t, [folder], 2), /too many arguments.* --models-dir, .* -f\./s);
    assert.match(
      await refusal(t, ['--models-dir', folder, '--idle-timeout', '5 parsecs'], 2),
      /'5 parsecs' is invalid/,
    );
  });

  it('at a reload changes nothing: it is answered with all that is wrong, and what was declared stays', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a'], 'slow');
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[a]\nmodel = ${path}\n`);
    const corral = await startCorral(t, ['--models-preset', file]);
    const stream = await startStream(corral, 'a', 150);
    await writeFile(file, `[b]\nmodle = ${path}\n`);
    await assert.rejects(reload(corral), /answered 500: .*presets\.ini:2: modle: /s);
    assert.deepEqual(
      (await listModels(corral)).map(({ id, status }) => [id, status.value]),
      [['a', 'loaded']],
    );
    await assertWhole(stream.whole, 'a', 150);
    assert.deepEqual(corral.log.all({ msg: 'replica draining' }), []);
  });
});

describe('a start that cannot be', suite, () => {
  it('because the port is in use names it and what to do; exit code 1', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const first = await startCorral(t, ['--models-dir', folder]);
    const told = await refusal(t, ['--models-dir', folder, '--port', String(first.port)], 1);
    assert.match(told, new RegExp(`cannot listen on 127\\.0\\.0\\.1, port ${first.port} \\(.*EADDRINUSE.*--port`, 'u'));
    await assertWhole(chat(first, 'a'), 'a', 2);
  });

  it('because llama-server is not where it was said to be names the path; exit code 2', async (t) => {
    const folder = await tempFolder(t);
    const program = join(folder, 'no-llama-server');
    const corral = await spawnCorral(t, ['--models-dir', folder], { program });
    const { code, stderr } = await corral.exited;
    assert.equal(code, 2);
    assert.ok(stderr.includes(program), stderr);
  });

  it('because the program is no llama-server says so; exit code 2', async (t) => {
    const folder = await tempFolder(t);
    const program = join(folder, 'impostor');
    await writeFile(program, '#!/bin/sh\necho hello\n', { mode: 0o755 });
    const { code, stderr } = await (await spawnCorral(t, ['--models-dir', folder], { program })).exited;
    assert.equal(code, 2);
    assert.match(stderr, /impostor.*is no llama-server/s);
  });
});

describe('a model that cannot be loaded', suite, () => {
  /** What a waiter for `model` is answered. */
  const answerOf = async (waiter: Promise<unknown>): Promise<APIError> => {
    const error: unknown = await waiter.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof APIError);
    return error;
  };

  it('because its file is no GGUF is 503 with the last log lines to all who wait; others go on', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['good'], 'slow');
    await writeFile(join(folder, 'text.gguf'), 'This is no model.');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const other = await startStream(corral, 'good', 200);
    const goOn = stopServer(corral, 'good');
    const errors = await Promise.all([answerOf(chat(corral, 'text')), answerOf(startStream(corral, 'text', 2))]);
    for (const { status, code, message, headers } of errors) {
      assert.equal(status, 503);
      assert.equal(code, 'model_load_failed');
      assert.match(message, /"text" could not be loaded: llama-server exited with code 1 while it loaded the model\n/);
      assert.match(message, /text\.gguf/, 'the log lines of llama-server');
      assert.match(String(headers?.get('retry-after')), /^\d+$/);
    }
    const failed = (await listModels(corral)).find(({ id }) => id === 'text');
    assert.equal(failed?.status.value, 'unloaded');
    assert.equal(failed.status.failed, true);
    assert.equal(failed.status.exit_code, 1);
    // It backs off: asking again starts nothing.
    assert.equal((await answerOf(chat(corral, 'text'))).status, 503);
    assert.equal(corral.starts().length, 2);
    assert.equal(other.isOver(), false);
    goOn();
    await assertWhole(other.whole, 'good', 200);
  });

  it('because its llama-server exits holds no place, and is tried again once its declaration has changed', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a']);
    const file = join(folder, 'presets.ini');
    const presets = (more: string): string => `[bad]\nmodel = ${path}\n${more}[good]\nmodel = ${path}\n`;
    await writeFile(file, presets('chat-template-file = /nowhere/template.jinja\n'));
    const corral = await startCorral(t, ['--models-preset', file, '--models-max', '1']);
    const { status, message } = await answerOf(chat(corral, 'bad'));
    assert.equal(status, 503);
    assert.match(message, /llama-server exited with code 1 .*\n.*\/nowhere\/template\.jinja/s);
    await assertWhole(chat(corral, 'good'), 'good', 2);
    await writeFile(file, presets(''));
    await reload(corral);
    await assertWhole(chat(corral, 'bad'), 'bad', 2);
  });

  it('within its load timeout is 503, and its server is ended', async (t) => {
    const folder = await tempFolder(t);
    const [path = ''] = await tinyModels(folder, ['a'], 'slow');
    const file = join(folder, 'presets.ini');
    await writeFile(file, `[a]\nmodel = ${path}\nload-timeout = 1ms\n`);
    const corral = await startCorral(t, ['--models-preset', file]);
    const { status, message } = await answerOf(chat(corral, 'a'));
    assert.equal(status, 503);
    assert.match(message, /was not ready within its load timeout of 0\.001 s/);
    await corral.log.waitFor({ msg: 'replica gone', replica: 'a#1', how: 'failed' });
  });
});
