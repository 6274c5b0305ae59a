import type { JsonObject } from '../domain/json.ts';
import assert from 'node:assert/strict';
import { instant, type Duration, type Instant } from '../domain/units.ts';
import {
  ApiError,
  ApiUnreachable,
  type KubeApi,
  type ObjectList,
  type Scope,
  type WatchEvent,
} from '../kube/kube-api.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/kube-object.ts';
import type { Timers } from '../kube/timers.ts';
import { asKubeObject, metaOf } from './fake-api-store.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';

/** Below this, a pause may be over at any moment; above it, it never is. */
const LONGEST_PAUSE = 20_000;

interface Change {
  readonly plural: string;
  readonly at: Instant;
  readonly version: number;
  readonly event: WatchEvent;
}

/** Something that is on its way. */
interface Parcel {
  /** Where it travels: what one client asks, hears or waits for. */
  readonly lane: string;
  readonly arrive: () => void;
  /** Whether anybody is left whom it matters to. */
  readonly isAlive: () => boolean;
}

/** Things that are on their way; each arrives when the test says so, in whatever order, and not while its lane is stalled. */
export class Traffic {
  readonly #moving: Parcel[] = [];
  readonly #stalled = new Set<string>();
  readonly #frozen = new Set<string>();
  #now: Instant = instant(0);

  send(lane: string, arrive: () => void, isAlive: () => boolean = () => true): void {
    this.#moving.push({ lane, arrive, isAlive });
  }

  get now(): Instant {
    return this.#now;
  }

  /** What could arrive now. */
  get moving(): number {
    return this.#open().length;
  }

  /** Stalls the lane of something that is on its way. */
  stall(pick: (count: number) => number): void {
    const parcel = this.#moving[pick(this.#moving.length)];
    if (parcel !== undefined) this.#stalled.add(parcel.lane);
  }

  /** Everything moves again. */
  unstall(): void {
    this.#stalled.clear();
  }

  /** Nothing comes to a client any more, and nothing that it has sent arrives, until it is thawed. */
  freeze(client: string): void {
    this.#frozen.add(client);
  }

  thaw(client: string): void {
    this.#frozen.delete(client);
  }

  /** Lets one of them arrive, and all that follows from it at once. */
  async arrive(pick: (count: number) => number): Promise<void> {
    const open = this.#open();
    const parcel = open[pick(open.length)];
    if (parcel === undefined) return;
    this.#moving.splice(this.#moving.indexOf(parcel), 1);
    this.#now = instant(this.#now + 50);
    if (parcel.isAlive()) parcel.arrive();
    // Reflectors and followers collect for one turn of the event loop each.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #open(): Parcel[] {
    return this.#moving.filter(({ lane }) => !this.#stalled.has(lane) && !this.#frozen.has(lane.replace(/ .*/u, '')));
  }

  timers(client: string, isAlive: () => boolean): Timers {
    return {
      now: () => this.#now,
      random: () => 0.5,
      wakeIn: (delay: Duration, callback) => {
        let isCancelled = delay > LONGEST_PAUSE;
        if (!isCancelled) this.send(`${client} waits`, callback, () => !isCancelled && isAlive());
        return () => {
          isCancelled = true;
        };
      },
    };
  }
}

/** Who calls. */
export interface SlowClient {
  readonly name: string;
  /** Nothing comes to it any more when it is dead. */
  readonly isAlive: () => boolean;
  /** Whether a call breaks on its way. */
  readonly fails: () => boolean;
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
    const meta = metaOf(object);
    const key = `${resource.plural}/${nameOf(object)}`;
    this.#version += 1;
    const stored = asKubeObject({
      ...object,
      metadata: {
        uid: `uid-${(this.#uids += 1)}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...plain(this.#objects.get(key)?.metadata ?? {}),
        ...meta,
        resourceVersion: String(this.#version),
      },
    });
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

  /** When an object of this name was written or removed. */
  changesOf({ plural }: Resource, name: string): readonly Instant[] {
    const own = this.#changes.filter(
      (change) => change.plural === plural && 'object' in change.event && change.event.object.metadata.name === name,
    );
    return own.map(({ at }) => at);
  }

  /** A client's API. A write that is on its way arrives also when the client has died. */
  client({ name, isAlive, fails }: SlowClient): KubeApi {
    const call = async <T>(what: string, perform: () => T): Promise<T> =>
      this.#call(perform, { name: `${name} ${what}`, isAlive, fails });
    return {
      get: async (resource, ref) => call(`get ${resource.plural}`, () => this.find(resource, ref.name)),
      list: async (resource) => call(`list ${resource.plural}`, () => this.#list(resource)),
      create: async (resource, object) => call(`write ${resource.plural}`, () => this.#create(resource, object)),
      replace: async (resource, object) => call(`write ${resource.plural}`, () => this.#replace(resource, object)),
      patch: async (resource, ref, { uid, resourceVersion, body }) =>
        call(`write ${resource.plural}`, () => {
          const before = this.#checked(resource, ref, uid, resourceVersion);
          return this.put(resource, plain(mergePatch(plain(before), body)));
        }),
      replaceStatus: async (resource, ref, { uid, resourceVersion, status }) =>
        call(`write ${resource.plural}`, () => {
          const before = this.#checked(resource, ref, uid, resourceVersion);
          return this.put(resource, plain({ ...before, status }));
        }),
      delete: async (resource, ref, { uid, resourceVersion }) =>
        call(`write ${resource.plural}`, () => {
          this.#checked(resource, ref, uid, resourceVersion);
          this.remove(resource, ref.name);
        }),
      watch: (resource, _scope: Scope, from, signal) =>
        this.#watch(resource, Number(from), { signal, isAlive, lane: `${name} hears of ${resource.plural}` }),
    };
  }

  async #call<T>(perform: () => T, { name, isAlive, fails }: SlowClient): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (how: () => void): void => {
        this.traffic.send(name, how, isAlive);
      };
      const broken = (): void => {
        reject(new ApiUnreachable('broken'));
      };
      // A call that is on its way arrives also when its client has died meanwhile.
      this.traffic.send(name, () => {
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
            reject(error instanceof Error ? error : new Error(String(error)));
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
    return this.put(resource, plain(object));
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
    this.#changes.push({ plural, at: this.traffic.now, version: this.#version, event });
    for (const wake of this.#watches) wake();
  }

  /** Events come in their order, each whenever it comes. */
  async *#watch(
    { plural }: Resource,
    from: number,
    { signal, isAlive, lane }: { readonly signal: AbortSignal; readonly isAlive: () => boolean; readonly lane: string },
  ): AsyncGenerator<WatchEvent> {
    let sent = this.#changes.findIndex(({ version }) => version > from);
    if (sent === -1) sent = this.#changes.length;
    const arrived: WatchEvent[] = [];
    let wakeReader = (): void => undefined;
    const send = (): void => {
      for (; sent < this.#changes.length; sent += 1) {
        const change = this.#changes[sent];
        if (change?.plural === plural) inOrder.push(change.event);
        if (change?.plural === plural) this.traffic.send(lane, deliver, isAlive);
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
        if (arrived.length > 0) yield* arrived.splice(0);
        else {
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

/** As it would come over the wire. */
function plain(value: unknown): JsonObject {
  const parsed: unknown = JSON.parse(JSON.stringify(value));
  assert.ok(isJsonObject(parsed));
  return parsed;
}

function nameOf(object: JsonObject): string {
  const { name } = metaOf(object);
  assert.ok(typeof name === 'string');
  return name;
}

const refusal = (status: number, reason: string): ApiError => new ApiError({ status, reason, message: reason });
