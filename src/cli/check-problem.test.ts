import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { checkProblem } from './check-problem.ts';
import { typedFlags, withServeOptions, type ServeFlags } from './serve-options.ts';

function problem(...argv: readonly string[]): string | undefined {
  const command = withServeOptions(new Command('serve')).parse(argv, { from: 'user' });
  return checkProblem(command.opts<ServeFlags>(), typedFlags(command));
}

const OTHERS = ['--keys-file', 'k', '--models-dir', 'd', '--models-preset=p', '--api-key-file', 'a'];

test('flags of what --check does not read are refused, each by its name', () => {
  assert.equal(
    problem('-f', 'm.yaml', '--check', '--models-preset', 'p.ini'),
    '--check reads manifests only, which -f names: leave out --models-preset',
  );
  assert.match(
    String(problem('--check', ...OTHERS)),
    /: leave out --models-dir, --models-preset, --keys-file, --api-key-file$/u,
  );
});

test('without --check they are none, and neither are manifests with it, or limits', () => {
  assert.equal(problem('-f', 'm.yaml', ...OTHERS), undefined);
  assert.equal(problem('-f', 'm.yaml', '--check', '--models-max', '3'), undefined);
});

test('a variable that the server would read is passed over', (t) => {
  t.after(() => delete process.env['LLAMA_ARG_MODELS_DIR']);
  process.env['LLAMA_ARG_MODELS_DIR'] = 'd';
  assert.equal(problem('-f', 'm.yaml', '--check'), undefined);
  assert.match(String(problem('-f', 'm.yaml', '--check', '--models-dir', 'd')), /leave out --models-dir$/u);
});

test('corral serve ends with exit code 2 and reads nothing', () => {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const argv = [main, 'serve', '-f', 'none.yaml', '--models-preset', 'none.ini', '--check'];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  const told = 'corral serve: --check reads manifests only, which -f names: leave out --models-preset\n';
  assert.deepEqual([status, stdout, stderr], [2, '', told]);
});
