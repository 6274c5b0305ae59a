import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MS = 5_000;

/** A server process whose output nobody reads. */
export interface Server {
  readonly pid: number;
  /** Resolves when it is gone. Safe to call again. */
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** An open file for its output. Unless given, it writes into pipes, as Corral's children do. */
  readonly output?: number;
}

/** Runs a program. Throws if it cannot be started. */
export function runServer(
  program: string,
  args: readonly string[],
  { env = process.env, output }: ServerOptions = {},
): Server {
  const sink = output === undefined ? 'pipe' : output;
  // Our process group, so that Ctrl-C ends it too.
  const child = spawn(program, [...args], { stdio: ['ignore', sink, sink], env });
  child.stdout?.resume();
  child.stderr?.resume();
  const exited = once(child, 'exit');
  // Whoever stops it sees the error of a program that cannot be started.
  exited.catch(() => undefined);
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  return {
    pid: child.pid,
    stop: async () => {
      await stop(child, exited);
    },
  };
}

/** SIGKILL for one that does not go: llama-server loses a SIGTERM that comes just when it has become ready. */
async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await exited;
  clearTimeout(killer);
}

const LOOK_WITHIN_MS = 60_000;

/** Looks every `pause` ms until `look` says yes. Throws after a minute, naming `what`. */
export async function untilTrue(what: string, look: () => Promise<boolean>, pause: number): Promise<void> {
  const started = performance.now();
  while (!(await look())) {
    if (performance.now() - started > LOOK_WITHIN_MS) throw new Error(`${what}: not within a minute`);
    await delay(pause);
  }
}
