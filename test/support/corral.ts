import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { LogBook } from './log-book.ts';
import { isAlive, makeRecorder, type Recorder, type Start } from './recorder.ts';
import { makeTempFolder, type Cleanup } from './temp-folder.ts';

const PROGRAM = join(resolve(import.meta.dirname, '../..'), 'bin/corral');

/** The llama-server that `npm test` names; `undefined`: these tests cannot run. */
const llamaServer = process.env['LLAMA_SERVER'];

/** For `describe`: a suite is skipped without a llama-server, and one that waits for ever fails, as it should. */
export const suite = {
  skip: llamaServer === undefined ? 'LLAMA_SERVER names no llama-server; npm test finds or builds one' : false,
  timeout: 180_000,
};

/** How a Corral ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A Corral that was started as a user starts it. */
export interface Corral {
  readonly pid: number;
  readonly log: LogBook;
  /** Resolves when the process is gone and its output was read. */
  readonly exited: Promise<Exit>;
  /** The llama-servers that it has started. */
  starts(): readonly Start[];
  kill(signal: NodeJS.Signals): void;
}

/** A Corral that listens. */
export interface ServingCorral extends Corral {
  readonly url: string;
  readonly port: number;
  /** Tells it to end, and resolves when it has. */
  stop(): Promise<Exit>;
}

export interface StartOptions {
  /** Laid over our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** In place of the recorded llama-server: Corral looks for one itself. */
  readonly program?: string;
}

/** One thread: as many as there are cores, in several servers at once, would spin against each other. */
export const LLAMA_ARGS = ['--threads', '1', '--no-warmup'];

/** Runs `corral serve` with a port of its own choice. Whatever it leaves behind is ended after the test. */
export async function spawnCorral(t: Cleanup, args: readonly string[], options: StartOptions = {}): Promise<Corral> {
  if (llamaServer === undefined) throw new Error('LLAMA_SERVER is not set');
  const folder = await makeTempFolder();
  const recorder = await makeRecorder(folder, llamaServer);
  const program = options.program === undefined ? recorder.program : options.program;
  const child = spawn(PROGRAM, ['serve', '--port', '0', '--llama-server', program, ...LLAMA_ARGS, ...args], {
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = new LogBook();
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.add(line);
  });
  const exited = exitOf(child, text(child.stderr), log);
  t.after(async () => {
    await endAll(child, exited, recorder, log);
    await rm(folder, { recursive: true, force: true });
  });
  if (child.pid === undefined) throw new Error(`${PROGRAM} cannot be started`);
  return {
    pid: child.pid,
    log,
    exited,
    starts: () => recorder.starts(),
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** As `spawnCorral`, and resolves when it listens. Rejects if it does not get there. */
export async function startCorral(
  t: Cleanup,
  args: readonly string[],
  options: StartOptions = {},
): Promise<ServingCorral> {
  const corral = await spawnCorral(t, args, options);
  const stderr = corral.exited.then((exit) => exit.stderr);
  const { url } = await corral.log.waitFor({ msg: 'listening' }).catch(async (cause: unknown) => {
    throw new Error(`corral did not get to listen: ${await stderr}`, { cause });
  });
  if (url === undefined) throw new Error('corral does not say where it listens');
  const stop = async (): Promise<Exit> => {
    corral.kill('SIGTERM');
    return corral.exited;
  };
  return { ...corral, url, port: Number(new URL(url).port), stop };
}

/** Without what would make Corral part of this test run, or give it settings that the test does not know. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|LLAMA_.*)$/u;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

async function exitOf(child: ChildProcess, stderr: Promise<string>, log: LogBook): Promise<Exit> {
  await once(child, 'close');
  log.close(child.signalCode === null ? `code ${String(child.exitCode)}` : child.signalCode);
  return { code: child.exitCode, signal: child.signalCode, stderr: await stderr };
}

/** Only what still runs by its own account is killed: the id of what is gone may be another's by now. */
async function endAll(child: ChildProcess, exited: Promise<Exit>, recorder: Recorder, log: LogBook): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await exited;
  const gone = new Set(log.all({ msg: 'replica gone' }).map(({ pid }) => pid));
  for (const { pid } of recorder.starts()) if (!gone.has(pid) && isAlive(pid)) process.kill(pid, 'SIGKILL');
}
