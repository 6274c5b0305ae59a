import { seconds } from '../domain/units.ts';
import { pause, type Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { TakenOver, type OwnObject } from './own-object.ts';

const RENEW_EVERY = seconds(3);
/** After this long without a renewal, readers may wonder whether the edge still runs. In seconds. */
const LEASE_SECONDS = 10;

export interface LeaseKeeperParts {
  readonly lease: Pick<OwnObject, 'write'>;
  readonly bootId: string;
  /** Wall-clock time in milliseconds since 1970: for people who read the lease. Nobody compares it with another clock. */
  readonly wallClock: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** The lease could be renewed, after it could not. */
  readonly onReached: () => void;
  /** The lease is another's. That alone does not say whether the edge is: somebody may have edited it. */
  readonly onTakenOver: () => void;
}

/** Shows that this edge runs: renews its lease every 3 s. */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run(this.#time());
  }

  /** Resolves when no renewal is on its way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(acquireTime: string): Promise<void> {
    let hasFailed = false;
    while (!this.#stopping.signal.aborted) {
      const isRenewed = await this.#renew(acquireTime, hasFailed);
      if (isRenewed && hasFailed) this.#parts.onReached();
      hasFailed = !isRenewed;
      await pause(this.#parts.timers, RENEW_EVERY, this.#stopping.signal);
    }
  }

  async #renew(acquireTime: string, hasFailed: boolean): Promise<boolean> {
    const { lease, bootId, log, onTakenOver } = this.#parts;
    try {
      await lease.write({
        spec: { holderIdentity: bootId, leaseDurationSeconds: LEASE_SECONDS, acquireTime, renewTime: this.#time() },
      });
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!hasFailed) log.warn('the lease could not be renewed; trying again', { reason });
      if (error instanceof TakenOver) onTakenOver();
      return false;
    }
  }

  /** Kubernetes' MicroTime. */
  #time(): string {
    return new Date(this.#parts.wallClock()).toISOString().replace('Z', '000Z');
  }
}
