import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A process: a pid alone may be somebody else's by now. */
interface Started {
  readonly pid: number;
  /** In clock ticks since the machine started. */
  readonly startTime: string;
}

const LOOK_EVERY_MS = 20;

/**
 * When a running process was started; `undefined`: it is gone. A dead one that nobody has buried is gone too: some
 * machines' first process takes seconds for that.
 */
export function startTimeOf(pid: number): string | undefined {
  const stat = existsSync(`/proc/${pid}/stat`) ? readStat(pid) : undefined;
  // The name, in brackets, may hold anything; the state is the first field after it, the start time the 20th.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The processes that a cluster consists of, recorded in a folder, so that they can be ended also by a later process. */
export class StartedProcesses {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'pids'), { recursive: true });
    mkdirSync(join(folder, 'logs'), { recursive: true });
  }

  logFile(name: string): string {
    return join(this.#folder, 'logs', `${name}.log`);
  }

  /** The last lines that a process wrote, for an error. */
  lastLines(name: string, count = 15): string {
    const file = this.logFile(name);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') : '';
  }

  /** Starts a program in a session of its own: Ctrl-C at a terminal is for us alone. Throws if there is no such program. */
  start(name: string, argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const log = openSync(this.logFile(name), 'a');
    const [program, ...args] = argv;
    const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env });
    closeSync(log);
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    this.record(name, child.pid);
    return child;
  }

  record(name: string, pid: number): void {
    const startTime = startTimeOf(pid);
    writeFileSync(join(this.#folder, 'pids', name), JSON.stringify({ pid, startTime }));
  }

  names(prefix = ''): readonly string[] {
    return readdirSync(join(this.#folder, 'pids')).filter((name) => name.startsWith(prefix));
  }

  /** The pid of a recorded process that runs. */
  find(name: string): number | undefined {
    const file = join(this.#folder, 'pids', name);
    if (!existsSync(file)) return undefined;
    const started = decodeStarted(readFileSync(file, 'utf8'));
    return started !== undefined && startTimeOf(started.pid) === started.startTime ? started.pid : undefined;
  }

  signal(names: readonly string[], signal: NodeJS.Signals): void {
    for (const name of names) {
      const pid = this.find(name);
      if (pid !== undefined) kill(pid, signal);
    }
  }

  /** Resolves with the names of those that still run after a time in milliseconds; forgets the others. */
  async untilGone(names: readonly string[], within: number): Promise<readonly string[]> {
    const end = performance.now() + within;
    const running = (): readonly string[] => names.filter((name) => this.find(name) !== undefined);
    while (running().length > 0 && performance.now() < end) await delay(LOOK_EVERY_MS);
    const left = running();
    for (const name of names) if (!left.includes(name)) rmSync(join(this.#folder, 'pids', name), { force: true });
    return left;
  }
}

/** `undefined` for a record that was cut short, by a process that ended while it wrote. */
function decodeStarted(text: string): Started | undefined {
  const match = /^\{"pid":(\d+),"startTime":"(\d+)"\}$/u.exec(text);
  const startTime = match?.[2];
  return startTime === undefined ? undefined : { pid: Number(match?.[1]), startTime };
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
