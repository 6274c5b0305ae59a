import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Path of a llama-server, as `corral llama-server` finds it; with `build` it is built where there is none, which takes
 * minutes. `undefined`: there is none, and the reason and the fix are on stderr.
 */
export function findLlamaServer({ build }: { readonly build: boolean }): string | undefined {
  const args = ['llama-server', ...(build ? ['--build'] : [])];
  const command = spawnSync(join(root, 'bin/corral'), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const path = typeof command.stdout === 'string' ? command.stdout.trim() : '';
  return command.status === 0 && path !== '' ? path : undefined;
}
