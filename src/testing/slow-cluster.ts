import { instant, type Duration, type Instant } from '../domain/units.ts';
import {
  ApiError,
  ApiUnreachable,
  type KubeApi,
  type ObjectList,
  type Scope,
  type WatchEvent,
} from '../kube/kube-api.ts';
import type { JsonObject, KubeObject, ObjectRef, Resource } from '../kube/kube-object.ts';
import type { Timers } from '../kube/timers.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';

/** Below this, a pause may be over at any moment; above it, it never is. */
const LONGEST_PAUSE = 20_000;

interface Change {
  readonly plural: string;
  readonly version: number;
  readonly event: WatchEvent;
}

/** Things that are on their way; each arrives when the test says so, in whatever order. */
export class Traffic {
  readonly #moving: { readonly arrive: () => void; readonly isAlive: () => boolean }[] = [];
  #now: Instant = instant(0);

  /** `isAlive`: whether anybody is left whom it matters to. */
  send(arrive: () => void, isAlive: () => boolean = () => true): void {
    this.#moving.push({ arrive, isAlive });
  }

  get moving(): number {
    return this.#moving.length;
  }

  /** Lets one of them arrive, and all that follows from it at once. */
  async arrive(pick: (count: number) => number): Promise<void> {
    const [one] = this.#moving.splice(pick(this.#moving.length), 1);
    this.#now = instant(this.#now + 10);
    if (one?.isAlive() === true) one.arrive();
    // Reflectors and followers collect for one turn of the event loop each.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  timers(isAlive: () => boolean): Timers {
    return {
      now: () => this.#now,
      random: () => 0.5,
      wakeIn: (delay: Duration, callback) => {
        let isCancelled = delay > LONGEST_PAUSE;
        if (!isCancelled) this.send(callback, () => !isCancelled && isAlive());
        return () => {
          isCancelled = true;
        };
      },
    };
  }
}

/** The objects of a cluster, in memory. What clients do to them takes time on the way there and on the way back. */
export class SlowCluster {
  readonly traffic = new Traffic();
  readonly #objects = new Map<string, KubeObject>();
  readonly #changes: Change[] = [];
  readonly #watches = new Set<() => void>();
  #version = 1;
  #uids = 0;

  /** As it is now. */
  find(resource: Resource, name: string): KubeObject | undefined {
    return this.#objects.get(`${resource.plural}/${name}`);
  }

  put(resource: Resource, object: JsonObject): KubeObject {
    const { metadata } = object;
    const meta = isJsonObject(metadata) ? metadata : {};
    const key = `${resource.plural}/${String(meta['name'])}`;
    this.#version += 1;
    const stored = {
      ...object,
      metadata: {
        uid: `uid-${(this.#uids += 1)}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...this.#objects.get(key)?.metadata,
        ...meta,
        resourceVersion: String(this.#version),
      },
    } as unknown as KubeObject;
    this.#objects.set(key, stored);
    this.#tell(resource, { kind: 'changed', object: stored });
    return stored;
  }

  remove(resource: Resource, name: string): void {
    const before = this.find(resource, name);
    if (before === undefined) return;
    this.#objects.delete(`${resource.plural}/${name}`);
    this.#version += 1;
    const metadata = { ...before.metadata, resourceVersion: String(this.#version) };
    this.#tell(resource, { kind: 'deleted', object: { ...before, metadata } });
  }

  /** A client's API. Nothing of it arrives any more when the client is dead; `fails` tells whether a call breaks on its way. */
  client(isAlive: () => boolean, fails: () => boolean): KubeApi {
    const call = async <T>(perform: () => T): Promise<T> => this.#call(perform, isAlive, fails);
    return {
      get: async (resource, ref) => call(() => this.find(resource, ref.name)),
      list: async (resource) => call(() => this.#list(resource)),
      create: async (resource, object) => call(() => this.#create(resource, object)),
      replace: async (resource, object) => call(() => this.#replace(resource, object)),
      patch: async (resource, ref, { uid, resourceVersion, body }) =>
        call(() => {
          const before = this.#checked(resource, ref, uid, resourceVersion);
          return this.put(resource, mergePatch(before as unknown as JsonObject, body) as JsonObject);
        }),
      delete: async (resource, ref, { uid, resourceVersion }) =>
        call(() => {
          this.#checked(resource, ref, uid, resourceVersion);
          this.remove(resource, ref.name);
        }),
      watch: (resource, _scope: Scope, from, signal) => this.#watch(resource, Number(from), { signal, isAlive }),
    };
  }

  async #call<T>(perform: () => T, isAlive: () => boolean, fails: () => boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (how: () => void): void => {
        this.traffic.send(how, isAlive);
      };
      const broken = (): void => {
        reject(new ApiUnreachable('broken'));
      };
      // A call that is on its way arrives also when its client has died meanwhile.
      this.traffic.send(() => {
        if (fails()) {
          answer(broken);
          return;
        }
        try {
          const result = perform();
          answer(() => {
            if (fails()) broken();
            else resolve(result);
          });
        } catch (error) {
          answer(() => {
            reject(error as Error);
          });
        }
      });
    });
  }

  #list({ plural }: Resource): ObjectList {
    const items = [...this.#objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object);
    return { items, resourceVersion: String(this.#version) };
  }

  #create(resource: Resource, object: JsonObject & { readonly metadata: { readonly name: string } }): KubeObject {
    if (this.find(resource, object.metadata.name) !== undefined) throw refusal(409, 'AlreadyExists');
    return this.put(resource, object);
  }

  #replace(resource: Resource, object: KubeObject): KubeObject {
    const { name, uid, resourceVersion } = object.metadata;
    this.#checked(resource, { namespace: undefined, name }, uid, resourceVersion);
    return this.put(resource, object as unknown as JsonObject);
  }

  #checked(resource: Resource, { name }: ObjectRef, uid: string, version: string | undefined): KubeObject {
    const found = this.find(resource, name);
    if (found === undefined) throw refusal(404, 'NotFound');
    const { metadata } = found;
    if (metadata.uid !== uid || (version !== undefined && metadata.resourceVersion !== version)) {
      throw refusal(409, 'Conflict');
    }
    return found;
  }

  #tell({ plural }: Resource, event: WatchEvent): void {
    this.#changes.push({ plural, version: this.#version, event });
    for (const wake of this.#watches) wake();
  }

  /** Events come in their order, each whenever it comes. */
  async *#watch(
    { plural }: Resource,
    from: number,
    { signal, isAlive }: { readonly signal: AbortSignal; readonly isAlive: () => boolean },
  ): AsyncGenerator<WatchEvent> {
    let sent = this.#changes.findIndex(({ version }) => version > from);
    if (sent === -1) sent = this.#changes.length;
    const arrived: WatchEvent[] = [];
    let wakeReader = (): void => undefined;
    const send = (): void => {
      for (; sent < this.#changes.length; sent += 1) {
        const change = this.#changes[sent];
        if (change?.plural === plural) inOrder.push(change.event);
        if (change?.plural === plural) this.traffic.send(deliver, isAlive);
      }
    };
    const inOrder: WatchEvent[] = [];
    const deliver = (): void => {
      arrived.push(...inOrder.splice(0, 1));
      wakeReader();
    };
    this.#watches.add(send);
    signal.addEventListener('abort', () => {
      wakeReader();
    });
    try {
      send();
      while (!signal.aborted) {
        yield* arrived.splice(0);
        if (arrived.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        }
      }
    } finally {
      this.#watches.delete(send);
    }
  }
}

const refusal = (status: number, reason: string): ApiError => new ApiError({ status, reason, message: reason });
