import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

async function exitOf(child: ChildProcess): Promise<number | null> {
  await once(child, 'exit');
  return child.exitCode;
}

test('help whose reader has left ends with 0 and without a word', async () => {
  const child = spawn(process.execPath, [MAIN, 'operator', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Long before a Node that has just begun writes anything.
  child.stdout.destroy();
  const [said, code] = await Promise.all([text(child.stderr), exitOf(child)]);
  assert.deepEqual([code, said], [0, '']);
});

test('wrong use that nobody reads ends with 2', async () => {
  const child = spawn(process.execPath, [MAIN, 'serve', '--no-such-option'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.destroy();
  const [said, code] = await Promise.all([text(child.stdout), exitOf(child)]);
  assert.deepEqual([code, said], [2, '']);
});
