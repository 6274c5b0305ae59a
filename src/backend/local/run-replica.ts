import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Preset } from '../../domain/preset.ts';
import type { Endpoint, FailureCode } from '../../domain/replica.ts';
import { since, type Duration, type Instant } from '../../domain/units.ts';
import { newPrefix, renderArguments, renderEnvironment } from './command-line.ts';
import { releasePort, takeFreePort } from './free-port.ts';
import { createLogRing, type LogRing } from './log-ring.ts';
import { isHealthy, probeInterval } from './probe.ts';
import { ProcessGroup } from './process-group.ts';

/** How a replica ended. */
export type ReplicaEnd =
  /** By order. */
  | { readonly kind: 'stopped' }
  /** By itself, or because it did not get ready in time. */
  | {
      readonly kind: 'failed';
      readonly code: FailureCode;
      readonly reason: string;
      readonly exitCode: number | undefined;
      readonly logTail: readonly string[];
    };

/** What runs a replica. */
export interface ReplicaOrder {
  /** The llama-server to run. */
  readonly program: string;
  readonly preset: Preset;
  readonly baseEnv: NodeJS.ProcessEnv;
  readonly now: () => Instant;
  /** Its process exists. `kill` ends it at once, with all that it has started, and does nothing when they have ended. */
  readonly onSpawn: (pid: number, kill: () => void) => void;
  /** It answers. Not called after `stop`. */
  readonly onReady: (endpoint: Endpoint) => void;
}

/** How a process came to its end: without an `error` it had been started. */
interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: Error | undefined;
}

const LOG_LINES = 200;
const LOG_WIDTH = 2_000;
/** Lines of log that a failure carries. */
const TAIL_LINES = 12;
/**
 * When to repeat SIGTERM. llama-server loses one that comes between its first healthy answer and the start of its main
 * loop (seen with v0.5.0); at a second one it exits at once, which is safe: nothing is in flight any more.
 */
const ASK_AGAIN_MS = 1_000;
/** How long the last output of an ended process may take to arrive. */
const LAST_OUTPUT_MS = 500;

/**
 * Runs one llama-server from its start to its end, and resolves when its process is gone, and all that it has started: the
 * program may be a script that runs llama-server. Never rejects.
 *
 * `stop` ends it: SIGTERM, again after a second, and SIGKILL after the preset's stop timeout, because llama-server can hang when it is told
 * to stop with a request open (reference: llama.cpp issues 12831, 18237).
 */
export async function runReplica(order: ReplicaOrder, stop: AbortSignal): Promise<ReplicaEnd> {
  try {
    return await runAtFreePort(order, stop);
  } catch (error) {
    // No port to be had, or arguments that no process can be started with.
    const reason = `llama-server could not be started: ${error instanceof Error ? error.message : String(error)}`;
    return { kind: 'failed', code: 'CreateRefused', reason, exitCode: undefined, logTail: [] };
  }
}

async function runAtFreePort(order: ReplicaOrder, stop: AbortSignal): Promise<ReplicaEnd> {
  const port = await takeFreePort();
  try {
    if (stop.aborted) return { kind: 'stopped' };
    return await runProcess(order, { origin: `http://127.0.0.1:${port}`, prefix: newPrefix(process.pid) }, stop);
  } finally {
    releasePort(port);
  }
}

async function runProcess(order: ReplicaOrder, endpoint: Endpoint, stop: AbortSignal): Promise<ReplicaEnd> {
  const { preset } = order;
  const child = spawn(order.program, renderArguments(preset, endpoint), {
    // Its own process group: Ctrl-C on a terminal reaches Corral alone, which lets the streams finish first.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: renderEnvironment(order.baseEnv, preset),
  });
  const group = child.pid === undefined ? undefined : new ProcessGroup(child.pid);
  if (child.pid !== undefined) order.onSpawn(child.pid, () => group?.signal('SIGKILL'));
  const late = new AbortController();
  const told = AbortSignal.any([stop, late.signal]);
  const exited = exitOf(child);
  const ended = endOf(exited, group, told);
  const log = captureOutput(child, ended);
  told.addEventListener('abort', () => void terminate(group, preset.launch.stopTimeout, ended));
  const gone = new AbortController();
  void exited.then(() => {
    gone.abort();
  });
  const timeout = AbortSignal.timeout(preset.scaling.loadTimeout);
  const ready = await untilHealthy(endpoint, AbortSignal.any([stop, gone.signal, timeout]), order.now);
  if (ready) order.onReady(endpoint);
  else if (timeout.aborted) late.abort();
  const exit = await ended;
  if (stop.aborted) return { kind: 'stopped' };
  await log.complete;
  return {
    kind: 'failed',
    code: late.signal.aborted ? 'LoadTimeout' : codeOf(exit, ready),
    reason: late.signal.aborted ? loadTimedOut(preset) : describeExit(exit, ready),
    exitCode: exit.code === null ? undefined : exit.code,
    logTail: log.ring.tail(TAIL_LINES),
  };
}

/** True when it answers, false when `loading` ends first. */
async function untilHealthy(endpoint: Endpoint, loading: AbortSignal, now: () => Instant): Promise<boolean> {
  const started = now();
  const isOver = (): boolean => loading.aborted;
  while (!isOver()) {
    if (await isHealthy(endpoint)) return !isOver();
    await delay(probeInterval(since(started, now())), undefined, { signal: loading }).catch(() => undefined);
  }
  return false;
}

async function terminate(group: ProcessGroup | undefined, patience: Duration, ended: Promise<Exit>): Promise<void> {
  // After the tick: the connections that the edge closes in it are closed first, an open one would delay the exit.
  await new Promise(setImmediate);
  group?.signal('SIGTERM');
  const timers = [
    setTimeout(() => group?.signal('SIGTERM'), ASK_AGAIN_MS),
    setTimeout(() => group?.signal('SIGKILL'), patience),
  ];
  await ended;
  for (const timer of timers) clearTimeout(timer);
}

/** Resolves when the process has exited, and nothing that it has started runs any more. */
async function endOf(exited: Promise<Exit>, group: ProcessGroup | undefined, told: AbortSignal): Promise<Exit> {
  const exit = await exited;
  // It has ended by itself. A server that it leaves behind would hold room that is given to another one.
  if (!told.aborted) group?.signal('SIGKILL');
  await group?.untilEmpty();
  return exit;
}

/** Collects stdout and stderr; `complete` resolves when the process has ended and its output was read, or is not coming. */
function captureOutput(child: ChildProcess, ended: Promise<Exit>): { ring: LogRing; complete: Promise<unknown> } {
  const ring = createLogRing(LOG_LINES, LOG_WIDTH);
  child.stdout?.on('data', (chunk: Buffer) => {
    ring.write(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    ring.write(chunk);
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const patience = ended.then(async ({ error }) => (error === undefined ? delay(LAST_OUTPUT_MS) : undefined));
  return { ring, complete: Promise.race([closed, patience]) };
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal, error: undefined });
    });
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
}

const loadTimedOut = ({ scaling }: Preset): string =>
  `llama-server was not ready within its load timeout of ${scaling.loadTimeout / 1000} s`;

function codeOf({ error }: Exit, wasReady: boolean): FailureCode {
  if (error !== undefined) return 'CreateRefused';
  return wasReady ? 'Crashed' : 'CrashedOnLoad';
}

function describeExit({ code, signal, error }: Exit, wasReady: boolean): string {
  if (error !== undefined) return `llama-server could not be started: ${error.message}`;
  const how = signal === null ? `exited with code ${String(code)}` : `was ended by ${signal}`;
  return `llama-server ${how} ${wasReady ? 'while it served' : 'while it loaded the model'}`;
}
