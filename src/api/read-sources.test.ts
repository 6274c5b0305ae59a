import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from './problem.ts';
import { readSources } from './read-sources.ts';

test('everything that is named is read, and what cannot be read is a problem', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'corral-sources-'));
  t.after(async () => rm(dir, { recursive: true }));
  const at = (name: string): string => join(dir, name);
  await writeFile(at('a.yaml'), '\ufeffkind: x');
  await writeFile(at('latin1.ini'), Buffer.from([0x5b, 0xe4, 0x5d]));
  const sources = await readSources({
    modelsDir: at('missing'),
    modelsPreset: at('latin1.ini'),
    manifests: [at('a.yaml'), dir, at('none.yaml')],
  });
  assert.deepEqual(sources.manifests, [{ file: at('a.yaml'), text: 'kind: x' }]);
  assert.equal(sources.presets, undefined);
  assert.deepEqual(sources.problems.map(formatProblem), [
    `${at('missing')}: there is no such folder. Name a folder that holds GGUF files.`,
    `${at('latin1.ini')}: the file is not UTF-8 text.`,
    `${dir}: this is a folder, not a file.`,
    `${at('none.yaml')}: there is no such file.`,
  ]);
});

test('a file that is named more than once is read once, and is one problem, however it is spelled', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'corral-sources-'));
  t.after(async () => rm(dir, { recursive: true }));
  const [a, b, c] = ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => `${dir}/${name}`);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  for (const file of [a, b, c]) await writeFile(file, 'kind: x');
  const other = `${dir}/./b.yaml`;
  const sources = await readSources({
    modelsDir: undefined,
    modelsPreset: undefined,
    manifests: [a, b, c, a, other, b],
  });
  assert.deepEqual(
    sources.manifests.map(({ file }) => file),
    [a, b, c],
  );
  assert.deepEqual(sources.problems.map(formatProblem), [
    `command line: -f: ${a} is named twice. Name it once.`,
    `command line: -f: ${b} is named 3 times, also as ${other}. Name it once.`,
  ]);
});

test('nothing named is nothing read', async () => {
  assert.deepEqual(await readSources({ modelsDir: undefined, modelsPreset: undefined, manifests: [] }), {
    modelsDir: undefined,
    presets: undefined,
    manifests: [],
    problems: [],
  });
});
