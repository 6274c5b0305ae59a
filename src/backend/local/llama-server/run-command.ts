import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { assertNever } from '../../../domain/assert-never.ts';
import type { Duration } from '../../../domain/units.ts';
import { LlamaServerError } from './llama-server.ts';

/** A tool of the build, and what bounds it. */
export interface Command {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeout: Duration;
  readonly signal: AbortSignal;
  /** Each line of stdout and stderr, as it is written. */
  readonly onLine?: OnLine;
}

export type OnLine = (line: string, from: 'stdout' | 'stderr') => void;

export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'interrupted' };

/** How a command ended, and the last lines it wrote, oldest first. */
export interface CommandResult {
  readonly end: CommandEnd;
  readonly tail: readonly string[];
}

/** Runs a command to its end. The port that tests put something else behind. */
export type RunCommand = (command: Command) => Promise<CommandResult>;

const TAIL_LINES = 20;

/**
 * Runs the command in a process group of its own under a shell that watches a pipe from us: when Corral dies, even by
 * SIGKILL, the pipe closes and the shell ends the whole group, so that no compiler goes on in a folder that the next
 * builder clears away. The command's own stdin is empty: nothing may ask a question that nobody sees.
 */
const GUARD = `exec 3<&0
( read -r _ <&3; kill -KILL 0 ) >/dev/null 2>&1 &
"$@" 3<&- </dev/null
exit $?`;

/** Runs a command until it ends, its time is up or the signal fires; then every process it started is ended as well. */
export async function runCommand(command: Command): Promise<CommandResult> {
  if (command.signal.aborted) return { end: { kind: 'interrupted' }, tail: [] };
  const child = spawn('/bin/sh', ['-c', GUARD, 'corral', ...command.argv], {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let cut: CommandEnd | undefined;
  const cutShort = (end: CommandEnd): void => {
    cut = end;
    endGroup(child.pid);
  };
  const timer = setTimeout(() => { cutShort({ kind: 'timed-out' }); }, command.timeout); // prettier-ignore
  const onAbort = (): void => { cutShort({ kind: 'interrupted' }); }; // prettier-ignore
  command.signal.addEventListener('abort', onAbort, { once: true });
  const tail = collectLines({ stdout: child.stdout, stderr: child.stderr }, command.onLine);
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
    command.signal.removeEventListener('abort', onAbort);
  }
  return { end: cut ?? endOf(child.exitCode, child.signalCode), tail };
}

function collectLines(
  streams: { readonly stdout: Readable; readonly stderr: Readable },
  onLine: OnLine | undefined,
): readonly string[] {
  const tail: string[] = [];
  for (const from of ['stdout', 'stderr'] as const) {
    createInterface({ input: streams[from] }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine?.(line, from);
    });
  }
  return tail;
}

/** SIGKILL, because tools of a build have nothing to save and may ignore anything milder. */
function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The group has ended by itself in the meantime.
  }
}

function endOf(code: number | null, signal: string | null): CommandEnd {
  if (code !== null) return { kind: 'exited', code };
  return { kind: 'killed', signal: signal ?? 'an unknown signal' };
}

/**
 * Runs a command that has to succeed. Throws an Error with what was being done, how it ended and its last lines;
 * `E_LLAMA_SERVER_INTERRUPTED` when the signal fired.
 */
export async function runStep(what: string, command: Command, run: RunCommand): Promise<void> {
  const { end, tail } = await run(command);
  if (end.kind === 'exited' && end.code === 0) return;
  if (end.kind === 'interrupted') {
    throw new LlamaServerError('E_LLAMA_SERVER_INTERRUPTED', `interrupted while ${what}: nothing was kept`);
  }
  const lines =
    tail.length === 0 ? ' and said nothing' : `; its last lines:\n${tail.map((l) => `    ${l}`).join('\n')}`;
  throw new Error(`${what} failed: ${command.argv.slice(0, 2).join(' ')} ${describeEnd(end, command.timeout)}${lines}`);
}

function describeEnd(end: Exclude<CommandEnd, { kind: 'interrupted' }>, timeout: Duration): string {
  switch (end.kind) {
    case 'exited':
      return `ended with exit code ${end.code}`;
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'timed-out':
      return `was ended because it took longer than ${timeout / 1000} s`;
    default:
      return assertNever(end);
  }
}
