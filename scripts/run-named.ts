import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { UsageError } from './test-parts.ts';

const root = join(import.meta.dirname, '..');

/** Something that a command runs by its name. */
export interface Named {
  /** One line for the list. */
  readonly summary: string;
}

/** `  name  summary`, one line each. */
export function renderNames(named: ReadonlyMap<string, Named>): string {
  const width = Math.max(...[...named.keys()].map((name) => name.length));
  return [...named].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}\n`).join('');
}

/** The one of this name. Throws UsageError with the list if there is none, or if more than one name is given. */
export function chooseNamed<T extends Named>(what: string, named: ReadonlyMap<string, T>, names: readonly string[]): T {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw new UsageError(`one ${what} at a time, not '${names.join(' ')}'`);
  const found = named.get(name);
  if (found === undefined) throw new UsageError(`there is no ${what} '${name}'; there are:\n${renderNames(named)}`);
  return found;
}

/** Runs a command's `main` and sets the exit code that it returns; 2 with the reason for wrong use. */
export async function runCommand(command: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!isWrongUse(error)) throw error;
    process.stderr.write(`${command}: ${error.message.trimEnd()}\n`);
    process.exitCode = 2;
  }
}

const isWrongUse = (error: unknown): error is Error =>
  error instanceof UsageError ||
  (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));

/**
 * Path of a llama-server, built first if need be (minutes), and set as LLAMA_SERVER for what starts one. `undefined`:
 * there is none, and the reason and the fix are on stderr.
 */
export function obtainLlamaServer(): string | undefined {
  const command = spawnSync(join(root, 'bin/corral'), ['llama-server', '--build'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const path = typeof command.stdout === 'string' ? command.stdout.trim() : '';
  if (command.status !== 0 || path === '') return undefined;
  process.env['LLAMA_SERVER'] = path;
  return path;
}
