import { findLlamaServer } from './find-llama-server.ts';
import { UsageError } from './test-parts.ts';

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

/** As `findLlamaServer`, and set as LLAMA_SERVER for what starts one. */
export function obtainLlamaServer(): string | undefined {
  const path = findLlamaServer({ build: true });
  if (path !== undefined) process.env['LLAMA_SERVER'] = path;
  return path;
}
