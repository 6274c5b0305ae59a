import type { ApiObject } from '../../cluster/support/api-client.ts';
import { isClosed } from '../../cluster/support/pod-gate.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Mirror } from '../operator-trials/mirror.ts';

/** Why pods leave for others: idle ones, and busy ones for those that have waited for long. */
const CAUSES = new Set(['evicted', 'fairness']);

const isLeavingForOthers = ({ metadata }: ApiObject): boolean =>
  isClosed(metadata) && CAUSES.has(String(metadata.annotations?.['corral.dev/drain-cause']));

/** Counts the pods that have left for others: whose gate was closed for that, and whose object is gone. */
export class EvictionWatch {
  readonly #pods: Mirror;
  readonly #closed = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  /** Of each: from the closed gate to the end of its object, in milliseconds. */
  readonly drains: number[] = [];

  constructor(t: Cleanup, pods: Mirror) {
    this.#pods = pods;
    const forget = pods.onChange(() => {
      this.#look();
    });
    t.after(async () => {
      forget();
      return Promise.resolve();
    });
  }

  get count(): number {
    return this.drains.length;
  }

  /** Resolves with the time at which so many were counted. Throws if that takes longer than `patience` milliseconds. */
  async until(count: number, patience: number): Promise<number> {
    const reached = Promise.withResolvers<number>();
    const look = (): void => {
      if (this.count >= count) reached.resolve(performance.now());
    };
    const timer = setTimeout(() => {
      reached.reject(new Error(`only ${this.count} of ${count} evictions after ${patience / 1000} s: ${this.#tell()}`));
    }, patience);
    this.#listeners.add(look);
    look();
    try {
      return await reached.promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  #look(): void {
    for (const pod of this.#pods.objects) {
      const { uid } = pod.metadata;
      if (!isLeavingForOthers(pod)) this.#closed.delete(uid);
      else if (!this.#closed.has(uid)) this.#closed.set(uid, performance.now());
    }
    for (const [uid, since] of this.#closed) {
      if (this.#pods.find(uid) !== undefined) continue;
      this.#closed.delete(uid);
      this.drains.push(performance.now() - since);
    }
    for (const listener of this.#listeners) listener();
  }

  #tell(): string {
    return this.#pods.objects
      .map(({ metadata }) => `${metadata.name} ${String(metadata.annotations?.['corral.dev/gate'])}`)
      .join(', ');
  }
}
