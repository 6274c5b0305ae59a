import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatProblem } from './problem.ts';
import { scanModelsDir } from './scan-models-dir.ts';

async function makeDir(t: TestContext, ...files: string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'corral-models-'));
  t.after(async () => rm(dir, { recursive: true }));
  for (const file of files) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), '');
  }
  return dir;
}

test('files and folders become models as in llama-server, in the order of their names', async (t) => {
  const dir = await makeDir(
    t,
    ...['z.gguf', 'a.gguf', 'readme.md', 'mmproj-z.gguf', 'mtp-z.gguf', 'x.GGUF', 'deep/er/b.gguf', 'empty/notes.txt'],
    ...['seeing/model.gguf', 'seeing/mmproj-f16.gguf', 'seeing/mtp-head.gguf'],
    ...['sharded/m-00002-of-00003.gguf', 'sharded/m-00001-of-00003.gguf', 'sharded/m-00003-of-00003.gguf'],
    ...['top-00001-of-00002.gguf', 'top-00002-of-00002.gguf'],
  );
  assert.deepEqual(await scanModelsDir(dir), {
    dir,
    models: [
      { name: 'a', model: join(dir, 'a.gguf') },
      {
        name: 'seeing',
        model: join(dir, 'seeing/model.gguf'),
        mmproj: join(dir, 'seeing/mmproj-f16.gguf'),
        draft: join(dir, 'seeing/mtp-head.gguf'),
      },
      { name: 'sharded', model: join(dir, 'sharded/m-00001-of-00003.gguf') },
      { name: 'top-00001-of-00002', model: join(dir, 'top-00001-of-00002.gguf') },
      { name: 'z', model: join(dir, 'z.gguf') },
    ],
    withoutEffect: [],
    warnings: [],
    unread: [],
    problems: [],
  });
});

test('a folder with several models is the first of them, and the others are named', async (t) => {
  const dir = await makeDir(t, 'm/b.gguf', 'm/a.gguf', 'm/mmproj-1.gguf', 'm/mmproj-2.gguf');
  const { models, withoutEffect } = await scanModelsDir(dir);
  assert.deepEqual(models, [{ name: 'm', model: join(dir, 'm/a.gguf'), mmproj: join(dir, 'm/mmproj-1.gguf') }]);
  assert.deepEqual(
    withoutEffect.map(({ file, field }) => [file, field]),
    [
      [join(dir, 'm'), 'b.gguf'],
      [join(dir, 'm'), 'mmproj-2.gguf'],
    ],
  );
});

test('links are followed, and one that leads nowhere is passed over', async (t) => {
  const dir = await makeDir(t, 'real/model.bin');
  await symlink(join(dir, 'real/model.bin'), join(dir, 'link.gguf'));
  await symlink(join(dir, 'nowhere'), join(dir, 'broken.gguf'));
  assert.deepEqual((await scanModelsDir(dir)).models, [{ name: 'link', model: join(dir, 'link.gguf') }]);
});

test('what is there and cannot be looked at is told, with the model that it may be', async (t) => {
  const dir = await makeDir(t, 'seeing/model.gguf');
  const loops = ['a.gguf', 'sub', 'seeing/mmproj.gguf', 'seeing/notes.txt'];
  for (const name of loops) await symlink(join(dir, name), join(dir, name));
  const { models, unread } = await scanModelsDir(dir);
  assert.deepEqual(models, [{ name: 'seeing', model: join(dir, 'seeing/model.gguf') }]);
  const reason = 'it cannot be looked at (ELOOP)';
  assert.deepEqual(unread, [
    { model: 'a', file: dir, field: 'a.gguf', reason },
    { model: 'sub', file: dir, field: 'sub', reason },
    { model: 'seeing', file: join(dir, 'seeing'), field: 'mmproj.gguf', reason },
  ]);
});

test('a file whose name cannot be a model name is no model, and the others go on', async (t) => {
  const dir = await makeDir(t, 'a,b.gguf', '.gguf', '__proto__.gguf', 'c,d/m.gguf');
  const { models, warnings, problems } = await scanModelsDir(dir);
  assert.deepEqual(
    models.map(({ name }) => name),
    ['__proto__'],
  );
  const comma = 'it is not served: a model name must not hold a comma, at which llama-server splits names. Rename it.';
  assert.deepEqual(warnings.map(formatProblem), [
    `${join(dir, '.gguf')}: it is not served: a model name must not be empty. Rename it.`,
    `${join(dir, 'a,b.gguf')}: ${comma}`,
    `${join(dir, 'c,d')}: ${comma}`,
  ]);
  assert.deepEqual(problems, []);
});

test('a folder in which no model is found is served, with a warning of where they are looked for', async (t) => {
  const dir = await makeDir(t, 'deep/er/b.gguf', 'mmproj-z.gguf', 'readme.md');
  const { models, warnings, problems } = await scanModelsDir(dir);
  assert.deepEqual([models, problems], [[], []]);
  assert.deepEqual(warnings.map(formatProblem), [
    `${dir}: no model is found in it: it is searched for NAME.gguf and NAME/*.gguf, not deeper.`,
  ]);
  assert.deepEqual((await scanModelsDir(join(dir, 'deep/er'))).warnings, []);
});

test('a folder that is missing, or none, is a problem with the fix', async (t) => {
  const dir = await makeDir(t, 'file');
  const fix = 'Name a folder that holds GGUF files.';
  const missing = join(dir, 'missing');
  assert.deepEqual((await scanModelsDir(missing)).problems.map(formatProblem), [
    `${missing}: there is no such folder. ${fix}`,
  ]);
  const file = join(dir, 'file');
  assert.deepEqual((await scanModelsDir(file)).problems.map(formatProblem), [
    `${file}: this is a file, not a folder. ${fix}`,
  ]);
});
