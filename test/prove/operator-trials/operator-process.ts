import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { cpuSecondsOf } from '../../bench/edge/process-figures.ts';
import type { Exit } from '../../support/corral.ts';
import { LogBook } from '../../support/log-book.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** What starts one of Corral's programs. */
interface ProgramStart {
  /** Node, its flags, `corral` and its arguments. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A part of Corral in a process of its own, which can be stopped and killed. */
export class CorralProcess {
  readonly #child: ChildProcess;
  readonly log = new LogBook();
  /** Resolves when it is gone and its output was read. */
  readonly exited: Promise<Exit>;

  constructor(t: Cleanup, { argv, env }: ProgramStart) {
    const [node = '', ...rest] = argv;
    const child = spawn(node, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.log.add(line);
    });
    this.exited = this.#end(text(child.stderr));
    t.after(async () => {
      this.kill('SIGKILL');
      await this.exited;
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How much of a core it has taken so far. */
  cpuSeconds(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('it was not started');
    return cpuSecondsOf([pid]);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  async #end(stderr: Promise<string>): Promise<Exit> {
    await once(this.#child, 'close');
    const { exitCode: code, signalCode: signal } = this.#child;
    this.log.close(signal ?? `code ${String(code)}`);
    return { code, signal, stderr: await stderr };
  }
}

export interface OperatorStart {
  /** Of `corral`, without the subcommand. */
  readonly program: readonly string[];
  readonly apiServer: string;
  /** The name of the pod that it would run in. */
  readonly name: string;
  /** Of Node, before the program. */
  readonly nodeFlags?: readonly string[];
}

/** An operator in a process of its own. */
export class OperatorProcess extends CorralProcess {
  constructor(t: Cleanup, { program: [node = '', ...rest], apiServer, name, nodeFlags = [] }: OperatorStart) {
    const flags = ['--host', '127.0.0.1', '--admin-port', '0', '--api-server', apiServer];
    super(t, {
      argv: [node, ...nodeFlags, ...rest, 'operator', ...flags],
      env: { POD_NAME: name, POD_NAMESPACE: 'corral-system' },
    });
  }

  /** Resolves when it decides. */
  async untilOperating(): Promise<void> {
    await this.log.waitFor({ msg: 'operating' });
  }
}
