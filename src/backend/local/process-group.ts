import { setTimeout as delay } from 'node:timers/promises';
import { GONE_WITHIN_MS, LOOK_EVERY_MS, runningMembers, stillRunningMembers } from './process-table.ts';

/**
 * A child that leads a process group, and all that it has started: a script in place of llama-server may run the server as a
 * child of its own, and end before it.
 */
export class ProcessGroup {
  readonly #leader: number;
  #isEmpty = false;
  #isKilled = false;

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Signals all of them. Does nothing once none is left: their number may be somebody else's then, and not before. */
  signal(signal: NodeJS.Signals): void {
    if (this.#isEmpty) return;
    if (signal === 'SIGKILL') this.#isKilled = true;
    this.#send(signal);
  }

  /**
   * For when its leader has exited. Resolves when none of them runs, or when what is left has outlived SIGKILL. Where
   * nothing is left there is nothing to wait for; otherwise it has to be looked at: no event tells of a group's end.
   */
  async untilEmpty(): Promise<void> {
    let running: number[] | undefined;
    for (let patience = GONE_WITHIN_MS; this.#send(0) && patience > 0;) {
      running = await this.#stillRunning(running);
      if (running?.length === 0) break;
      await delay(LOOK_EVERY_MS);
      if (this.#isKilled) patience -= LOOK_EVERY_MS;
    }
    this.#isEmpty = true;
  }

  /** All processes are looked at only when those that were known have ended or left. `undefined`: it cannot be told now. */
  async #stillRunning(known: readonly number[] | undefined): Promise<number[] | undefined> {
    try {
      const running = known === undefined ? [] : await stillRunningMembers(this.#leader, known);
      return running.length > 0 ? running : await runningMembers(this.#leader);
    } catch {
      return undefined;
    }
  }

  /** False: there is no such group. A dead process that nobody has buried yet is still of it. */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#leader, signal);
    } catch (error) {
      return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
    }
  }
}
