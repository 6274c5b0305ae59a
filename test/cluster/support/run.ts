import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface RunOptions {
  /** What the program reads from its stdin; without it there is nothing to read. */
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** `show`: what it writes on stderr is ours too, for what takes minutes. */
  readonly stderr?: 'keep' | 'show';
  /** It is ended as soon as it has written this on its stderr: for what tries again until somebody ends it. */
  readonly endAt?: string;
}

/** A program has ended with another exit code than 0. */
export class RunError extends Error {
  readonly stderr: string;

  constructor(argv: readonly string[], end: string, stderr: string) {
    super(`${argv.join(' ')} ended with ${end}: ${stderr.trim()}`);
    this.name = 'RunError';
    this.stderr = stderr;
  }
}

/** Runs a program to its end and returns what it wrote on stdout. Throws RunError with its stderr if it fails, or is ended. */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', options.stderr === 'show' ? 'inherit' : 'pipe'],
    cwd: options.cwd,
    env: options.env,
  });
  // A program that reads nothing closes its end first.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin);
  const stdout = child.stdout === null ? '' : text(child.stdout);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
    if (options.endAt !== undefined && stderr.includes(options.endAt)) child.kill('SIGTERM');
  });
  await once(child, 'close');
  if (child.exitCode === 0) return stdout;
  throw new RunError(argv, child.signalCode === null ? `code ${String(child.exitCode)}` : child.signalCode, stderr);
}
