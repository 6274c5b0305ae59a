import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { cpuSecondsOf } from '../edge/process-figures.ts';

export interface OperatorStart {
  /** Node's arguments before Corral's own. */
  readonly corral: readonly string[];
  readonly folder: string;
  readonly server: string;
  readonly caFile: string;
  readonly tokenFile: string;
  /** Where Node writes a profile when it ends; `undefined`: none is taken. */
  readonly profileFolder: string | undefined;
}

const Delays = Type.Object({ p99: Type.Number(), max: Type.Number() });
/** How long timers were kept waiting, in milliseconds. */
export type Delays = Type.Static<typeof Delays>;

const LogLine = Type.Object({ msg: Type.String() });
const ESTABLISHED = '01';
let starts = 0;

/** `corral operator` as it is installed, in a process of its own, and what can be seen of it from outside. */
export class OperatorProcess {
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #socket: string;
  readonly #port: number;
  /** Log lines by their messages, and when each came first. */
  readonly #said = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor({ corral, folder, server, caFile, tokenFile, profileFolder }: OperatorStart) {
    starts += 1;
    this.#socket = join(folder, `probe-${starts}.sock`);
    this.#port = Number(new URL(server).port);
    const probe = pathToFileURL(join(import.meta.dirname, 'probe.ts')).href;
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const flags = ['--api-server', server, '--api-ca-file', caFile, '--api-token-file', tokenFile];
    const args = [`--import=${probe}`, ...profile, ...corral, 'operator', ...flags, '--admin-port', '0', '--host', '127.0.0.1']; // prettier-ignore
    const env = { ...process.env, OPERATOR_BENCH_PROBE: this.#socket };
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    if (this.#child.stdout === null) throw new Error('the operator has no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#hear(line);
    });
  }

  /** Milliseconds from the start of the process until it logged this for the first time. */
  async until(message: string): Promise<number> {
    for (;;) {
      const at = this.#said.get(message);
      if (at !== undefined) return at - this.startedAt;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Since the last time that this was asked. `then`: whether it goes on looking. */
  async delays(then: 'look' | 'rest' = 'look'): Promise<Delays> {
    const socket = connect(this.#socket);
    socket.write(then);
    return Value.Parse(Delays, JSON.parse(await text(socket)));
  }

  cpuSeconds(): number {
    return cpuSecondsOf([this.#pid]);
  }

  /** The most memory that was resident, in MiB. */
  mostResident(): number {
    const found = /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'));
    if (found === null) throw new Error('the operator has no resident memory');
    return Number(found[1]) / 1024;
  }

  /** Its connections to the API server that are open now. */
  connections(): number {
    const own = new Set(readdirSync(`/proc/${this.#pid}/fd`).flatMap((fd) => this.#inodeOf(fd)));
    const port = this.#port.toString(16).toUpperCase().padStart(4, '0');
    const rows = readFileSync(`/proc/${this.#pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
    return rows.filter((row) => {
      const [, , remote = '', state, , , , , , inode = ''] = row.trim().split(/\s+/u);
      return state === ESTABLISHED && remote.endsWith(`:${port}`) && own.has(inode);
    }).length;
  }

  /** Ends it in order, and resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  get #pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the operator was not started');
    return pid;
  }

  /** A file may be closed between the look at the folder and the look at it. */
  #inodeOf(fd: string): string[] {
    try {
      const found = /^socket:\[(\d+)\]$/u.exec(readlinkSync(`/proc/${this.#pid}/fd/${fd}`));
      return found?.[1] === undefined ? [] : [found[1]];
    } catch {
      return [];
    }
  }

  #hear(line: string): void {
    const said: unknown = JSON.parse(line);
    if (!Value.Check(LogLine, said)) return;
    if (!this.#said.has(said.msg)) this.#said.set(said.msg, performance.now());
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
