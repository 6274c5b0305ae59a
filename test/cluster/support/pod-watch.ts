import Type from 'typebox';
import { Value } from 'typebox/value';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiObject, Change } from './api-client.ts';
import type { TestCluster } from './test-cluster.ts';

/** What became of a pod, in the order in which the API server tells it, which is the order in which it happened. */
export interface PodEvent {
  readonly kind: 'created' | 'changed' | 'gone';
  readonly pod: ApiObject;
  /** When it was told, in milliseconds since 1970. */
  readonly at: number;
}

interface Waiter {
  readonly look: () => boolean;
  readonly wake: () => void;
}

/** What is told of a pod's status when a test fails. */
const StatusSchema = Type.Object({
  phase: Type.Optional(Type.String()),
  conditions: Type.Optional(
    Type.Array(Type.Object({ type: Type.String(), status: Type.String(), message: Type.Optional(Type.String()) })),
  ),
  containerStatuses: Type.Optional(Type.Array(Type.Object({ state: Type.Unknown() }))),
});

/** Within this a wait for a pod has to end, in seconds. */
const PATIENCE = 60;

/** Follows the pods of one namespace from now on. */
export class PodWatch {
  readonly #events: PodEvent[] = [];
  readonly #pods = new Map<string, ApiObject>();
  readonly #what: string;
  #waiters: readonly Waiter[] = [];
  #broken: Error | undefined;

  /** `selector`: of labels; empty: all pods. Ends with the test. */
  constructor(t: Cleanup, cluster: TestCluster, namespace: string, selector = '') {
    const aborter = new AbortController();
    this.#what = `pods of ${namespace}`;
    const following = this.#follow(cluster, namespace, selector, aborter.signal);
    t.after(async () => {
      aborter.abort();
      await following;
    });
  }

  /** All that has happened so far. */
  get events(): readonly PodEvent[] {
    return this.#events;
  }

  /** Those that exist. */
  get pods(): readonly ApiObject[] {
    return [...this.#pods.values()];
  }

  /** Resolves with what `look` finds, now or after some event. Throws with what has happened if it finds nothing in time. */
  async until<T>(what: string, look: () => T | undefined, seconds = PATIENCE): Promise<T> {
    const found = Promise.withResolvers<T>();
    const tryLook = (): boolean => {
      const seen = look();
      if (seen !== undefined) found.resolve(seen);
      return seen !== undefined;
    };
    const late = AbortSignal.timeout(seconds * 1000);
    const giveUp = (): void => {
      const why = this.#broken === undefined ? `not within ${seconds} s` : this.#broken.message;
      found.reject(new Error(`${this.#what}: ${what}: ${why}; so far:\n${this.describe()}`));
    };
    if (this.#broken !== undefined) giveUp();
    late.addEventListener('abort', giveUp);
    if (!tryLook()) this.#waiters = [...this.#waiters, { look: tryLook, wake: giveUp }];
    try {
      return await found.promise;
    } finally {
      late.removeEventListener('abort', giveUp);
    }
  }

  /** Resolves when a pod's object is gone. */
  async untilGone(uid: string): Promise<void> {
    await this.until(`${uid} is gone`, () =>
      this.#events.some(({ kind, pod }) => kind === 'gone' && pod.metadata.uid === uid) ? true : undefined,
    );
  }

  /** Resolves when no pod exists; there must have been one. */
  async untilEmpty(): Promise<void> {
    await this.until('none is left', () => (this.#events.length > 0 && this.#pods.size === 0 ? true : undefined));
  }

  describe(): string {
    return this.#events.map(({ kind, pod }) => `${kind} ${pod.metadata.name} ${describePod(pod)}`).join('\n');
  }

  async #follow(cluster: TestCluster, namespace: string, selector: string, signal: AbortSignal): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const query = selector === '' ? '' : `labelSelector=${encodeURIComponent(selector)}`;
    try {
      for await (const change of cluster.api.changes(path, query, signal)) {
        this.#take(change);
        this.#waiters = this.#waiters.filter(({ look }) => !look());
      }
      throw new Error('the API server has ended the watch');
    } catch (error) {
      this.#broken = error instanceof Error ? error : new Error(String(error));
      for (const { wake } of this.#waiters) wake();
    }
  }

  #take(change: Change): void {
    switch (change.kind) {
      case 'listed':
        for (const pod of change.items) this.#note(pod);
        return;
      case 'changed':
        this.#note(change.object);
        return;
      case 'deleted':
        this.#forget(change.object);
    }
  }

  #note(pod: ApiObject): void {
    const { uid } = pod.metadata;
    this.#events.push({ kind: this.#pods.has(uid) ? 'changed' : 'created', pod, at: nowMs() });
    this.#pods.set(uid, pod);
  }

  #forget(pod: ApiObject): void {
    this.#events.push({ kind: 'gone', pod, at: nowMs() });
    this.#pods.delete(pod.metadata.uid);
  }
}

/** As the API server's audit log counts. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

function describePod({ metadata, status }: ApiObject): string {
  const { annotations = {}, deletionTimestamp } = metadata;
  const { phase, conditions, containerStatuses } = Value.Check(StatusSchema, status) ? status : {};
  const facts = [
    metadata.uid,
    annotations['corral.dev/gate'],
    deletionTimestamp === undefined ? undefined : 'ending',
    phase,
    ...(conditions ?? [])
      .filter((one) => one.status === 'False')
      .map(({ type, message = '' }) => `not ${type} ${message}`),
    ...(containerStatuses ?? []).map(({ state }) => JSON.stringify(state)),
  ];
  return facts.filter((fact) => fact !== undefined).join(', ');
}
