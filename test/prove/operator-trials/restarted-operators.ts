import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiProxy } from './api-proxy.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { Stage } from './stage.ts';

/** As the kubelet's: at once, then after 10 s, doubling up to 5 min. */
const FIRST_BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 300_000;

/** One place for an operator, in which one that ends is started again, as often and as late as a kubelet does it. */
export class RestartedOperator {
  readonly name: string;
  readonly proxy: ApiProxy;
  /** How those before have ended. */
  readonly exits: string[] = [];
  #operator: OperatorProcess;
  #isOver = false;

  private constructor(name: string, proxy: ApiProxy, start: () => OperatorProcess) {
    this.name = name;
    this.proxy = proxy;
    this.#operator = start();
    void this.#keep(start);
  }

  static async start(t: Cleanup, stage: Stage, name: string): Promise<RestartedOperator> {
    const { proxy, url } = await stage.openProxy(t, name);
    const hooks: (() => Promise<void>)[] = [];
    const own: Cleanup = { after: (hook) => hooks.push(hook) };
    const seat = new RestartedOperator(name, proxy, () => stage.start(own, { apiServer: url, name }));
    t.after(async () => {
      seat.#isOver = true;
      for (const hook of hooks) await hook();
    });
    return seat;
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  get operator(): OperatorProcess {
    return this.#operator;
  }

  async #keep(start: () => OperatorProcess): Promise<void> {
    for (let restarts = 0; ; restarts += 1) {
      const { code, signal } = await this.#operator.exited;
      if (this.#hasEnded()) return;
      this.exits.push(signal ?? `code ${String(code)}`);
      if (restarts > 0) await delay(Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (restarts - 1)));
      if (this.#hasEnded()) return;
      this.#operator = start();
    }
  }
}
