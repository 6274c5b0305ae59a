import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, ApiObject, Change } from '../../cluster/support/api-client.ts';
import type { Cleanup } from '../../support/temp-folder.ts';

/** Within this a wait has to end unless told otherwise, in seconds. */
const PATIENCE = 40;
const RETRY_AFTER_MS = 300;

/** A copy of all objects of a kind, which also follows an API server that goes away and comes back. */
export class Mirror {
  readonly #collection: string;
  readonly #objects = new Map<string, ApiObject>();
  readonly #listeners = new Set<() => void>();
  readonly #listed = Promise.withResolvers<undefined>();

  constructor(t: Cleanup, api: ApiClient, collection: string) {
    this.#collection = collection;
    const stopping = new AbortController();
    const following = this.#follow(api, stopping.signal);
    t.after(async () => {
      stopping.abort();
      await following;
    });
  }

  /** Resolves when all were listed once. */
  async ready(): Promise<void> {
    await this.#listed.promise;
  }

  get objects(): readonly ApiObject[] {
    return [...this.#objects.values()];
  }

  find(uid: string): ApiObject | undefined {
    return this.#objects.get(uid);
  }

  /** Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with what `look` finds, now or after some change. Throws with `what` and `explain` if it finds nothing in time. */
  async until<T>(
    what: string,
    look: () => T | undefined,
    explain = (): string => this.describe(),
    patience = PATIENCE,
  ): Promise<T> {
    const found = Promise.withResolvers<T>();
    const tryLook = (): void => {
      const seen = look();
      if (seen !== undefined) found.resolve(seen);
    };
    const forget = this.onChange(tryLook);
    const timer = setTimeout(() => {
      found.reject(new Error(`${what}: not within ${patience} s: ${explain()}`));
    }, patience * 1000);
    try {
      tryLook();
      return await found.promise;
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  describe(): string {
    return JSON.stringify(this.objects.map(({ metadata, status }) => ({ name: metadata.name, status })));
  }

  async #follow(api: ApiClient, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const change of api.changes(this.#collection, '', signal)) this.#take(change);
      } catch {
        await delay(RETRY_AFTER_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #take(change: Change): void {
    if (change.kind === 'listed') {
      this.#objects.clear();
      for (const object of change.items) this.#objects.set(object.metadata.uid, object);
      this.#listed.resolve(undefined);
    } else if (change.kind === 'deleted') this.#objects.delete(change.object.metadata.uid);
    else this.#objects.set(change.object.metadata.uid, change.object);
    for (const listener of this.#listeners) listener();
  }
}
