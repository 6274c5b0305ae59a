import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

function scratch(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'corral-command-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  return root;
}

/** Runs the command in a process of its own, with nothing in its environment but this. */
function command(env: NodeJS.ProcessEnv): { status: number | null; stdout: string; stderr: string } {
  const module = JSON.stringify(new URL('./main-llama-server.ts', import.meta.url).href);
  const code = `const { runLlamaServerCommand } = await import(${module});
    process.exitCode = await runLlamaServerCommand({ build: false });`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' });
}

test('The path alone is printed on stdout, with exit code 0.', (t) => {
  const root = scratch(t);
  const path = join(root, 'mine');
  writeFileSync(path, '#!/bin/sh\necho "version: 1"\n');
  chmodSync(path, 0o755);
  const { status, stdout, stderr } = command({ HOME: root, LLAMA_SERVER: path });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${path}\n`, stderr: '' });
});

test('Where none is found stdout stays empty, stderr says why, and the exit code is 1.', (t) => {
  const { status, stdout, stderr } = command({ HOME: scratch(t), PATH: '' });
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^corral llama-server: no llama-server can be used\. What was tried/);
});
