import { freeLease } from '../../cluster/support/operator-lease.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiProxy } from './api-proxy.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { Stage } from './stage.ts';

/** Keeps one operator running behind a proxy: one that was killed is started again, as the kubelet would. */
export class OperatorKeeper {
  readonly #t: Cleanup;
  readonly #stage: Stage;
  readonly #url: string;
  readonly proxy: ApiProxy;
  /** Exits that nobody has ordered, and what an operator calls a fault of its own. */
  readonly faults: string[] = [];
  /** What becomes of the Lease of one that was killed. */
  lease: 'given back' | 'left alone' = 'given back';
  #running: OperatorProcess;
  #starts = 0;
  #replacing: Promise<void> = Promise.resolve();

  private constructor(t: Cleanup, stage: Stage, { proxy, url }: { readonly proxy: ApiProxy; readonly url: string }) {
    this.#t = t;
    this.#stage = stage;
    this.#url = url;
    this.proxy = proxy;
    this.#running = this.#start();
    proxy.kill = async () => this.kill();
  }

  /** No other operator may run. Resolves when this one decides. */
  static async start(t: Cleanup, stage: Stage): Promise<OperatorKeeper> {
    await freeLease(stage.own.cluster.api);
    const keeper = new OperatorKeeper(t, stage, await stage.openProxy(t, 'operator'));
    await keeper.untilOperating();
    return keeper;
  }

  async untilOperating(): Promise<void> {
    await this.#replacing;
    await this.#running.untilOperating();
  }

  /** Resolves when it is dead; another one follows. */
  async kill(): Promise<void> {
    const killed = this.#running;
    killed.kill('SIGKILL');
    await killed.exited;
    this.#noteFaults(killed);
    this.#replacing = this.#replace();
  }

  async #replace(): Promise<void> {
    if (this.lease === 'given back') await freeLease(this.#stage.own.cluster.api);
    this.#running = this.#start();
  }

  #start(): OperatorProcess {
    this.#starts += 1;
    const operator = this.#stage.start(this.#t, { apiServer: this.#url, name: `operator-${this.#starts}` });
    void operator.exited.then(({ signal, code, stderr }) => {
      if (signal !== 'SIGKILL') this.faults.push(`an operator has ended by itself: ${String(code)} ${String(signal)} ${stderr}`); // prettier-ignore
    });
    return operator;
  }

  #noteFaults({ log }: OperatorProcess): void {
    for (const line of log.lines) if (line.level === LEVEL_ERROR) this.faults.push(JSON.stringify(line));
  }

  /** Faults since the last call. */
  takeFaults(): readonly string[] {
    return this.faults.splice(0);
  }
}

const LEVEL_ERROR = 50;
