import { spawnSync } from 'node:child_process';
import { cleanEnvironment } from './temp-tree.ts';

/** How a command ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. `env` is laid over our own environment. Throws if it cannot be started at all. */
export function runCommand(
  file: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Outcome {
  const result = spawnSync(file, [...args], { cwd, env: cleanEnvironment(env), encoding: 'utf8' });
  if (result.error !== undefined) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}
