import type { JsonObject } from '../domain/json.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KubeObject, Resource } from '../kube/kube-object.ts';
import { collectGarbage } from './fake-api-garbage.ts';
import { FakeApiFaults, type FakeFault, type FakeHold } from './fake-api-faults.ts';
import { FakeApiReads } from './fake-api-reads.ts';
import { FakeRefusal, statusBody } from './fake-api-refusal.ts';
import { parseRequest, type FakeMatch, type FakeRequest } from './fake-api-request.ts';
import { FAKE_RESOURCES, resourceKey, type FakeResource } from './fake-api-resources.ts';
import { asKubeObject, FakeApiStore, metaOf } from './fake-api-store.ts';
import { FakeApiWatches, type FakeBreak } from './fake-api-watches.ts';
import { FakeApiWrites } from './fake-api-writes.ts';
import { portOf } from './http-kit.ts';
import { Watch } from './watch.ts';

export interface FakeApiOptions {
  /** Beside `FAKE_RESOURCES`. */
  readonly resources?: readonly FakeResource[];
  /** The server's clock, in milliseconds since 1970; it stands still unless given. */
  readonly now?: () => number;
}

/**
 * An API server in memory, on this machine's loopback: it stores, checks, marks and tells as the real one does, but knows no
 * schema, no permission and no controller. What kubelets and schedulers do is the test's to do, with `put` and
 * `finishDeletion`. See `FakeMatch` and `FakeFault` for what can be made to go wrong.
 */
export interface FakeApiServer {
  readonly url: string;
  /** All calls so far, in the order they came. */
  readonly requests: readonly FakeRequest[];
  objects(resource: Resource): readonly KubeObject[];
  /** By name, in a namespace or (for objects of the whole cluster) in `undefined`. */
  find(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined;
  /** Creates an object or gives it a new state, whatever it is: fields that only the server sets are kept or made up. */
  put(resource: Resource, object: JsonObject): KubeObject;
  /** `put` of what `change` makes of the object. Throws if there is none. */
  edit(
    resource: Resource,
    ref: { namespace?: string; name: string },
    change: (object: JsonObject) => JsonObject,
  ): KubeObject;
  /** Removes at once what is there under this uid, as a kubelet does when the containers have ended, or somebody by force. */
  finishDeletion(uid: string): void;
  /** Deletes what is owned by objects that are gone (background deletion). Returns what it has deleted. */
  collectGarbage(): readonly string[];
  fail(match: FakeMatch, fault: FakeFault, times?: number): void;
  heal(): void;
  /** Calls that match wait, by default before they have any effect, or with `answer` after it. */
  hold(match: FakeMatch, at?: 'request' | 'answer'): FakeHold;
  /** Forgets all history: watches and lists that want to go on get 410. */
  compact(): void;
  /** Tells all watches how far they have come. */
  bookmark(): void;
  /**
   * Watches that are opened from now on are served by a second server that is so many versions behind this one; those that are open
   * stay where they are. It reads and writes by quorum, as real ones do: gets, lists and writes are never behind.
   */
  lag(behind: number): void;
  /** The second server has heard of everything, and is behind no more. */
  catchUp(): void;
  /** From now on no watch tells of objects of this name: a fault that the real server should not have. */
  conceal(name: string): void;
  /** How many watches of a kind are open, silent ones not counted. */
  watching(plural: string): number;
  breakWatches(plural: string, how: FakeBreak): void;
  /** Writes these very bytes into the running watches of a kind. */
  writeToWatches(plural: string, bytes: string | Uint8Array): void;
  /** Resolves as soon as it is true; it is looked at after each call, each change and each end of a watch. */
  until(isTrue: () => boolean): Promise<void>;
  /** Calls back whenever `until` looks. */
  onLook(listener: () => void): void;
  close(): Promise<void>;
}

export async function startFakeApiServer(options: FakeApiOptions = {}): Promise<FakeApiServer> {
  const fake = new Fake(options);
  await fake.listen();
  return fake;
}

/** So many calls are told of where somebody waits in vain. */
const LAST = 20;

const describeCall = ({ verb, resource, subresource, name }: FakeRequest): string =>
  [verb, resource.plural, subresource, name].filter((part) => part !== '').join(' ');

const STANDSTILL = Date.UTC(2026, 0, 1);

class Fake implements FakeApiServer {
  readonly #resources: readonly FakeResource[];
  readonly #store = new FakeApiStore();
  readonly #reads = new FakeApiReads(this.#store);
  readonly #writes: FakeApiWrites;
  readonly #faults = new FakeApiFaults();
  readonly #watches = new FakeApiWatches(this.#store, () => {
    this.#watch.look();
  });
  readonly #requests: FakeRequest[] = [];
  #url = '';
  readonly #watch = new Watch(() => `the last calls:\n${this.#requests.slice(-LAST).map(describeCall).join('\n')}`);
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  constructor({ resources = [], now = () => STANDSTILL }: FakeApiOptions) {
    this.#resources = [...FAKE_RESOURCES, ...resources];
    this.#writes = new FakeApiWrites({ store: this.#store, now });
    this.#store.onChange(() => {
      queueMicrotask(() => {
        this.#watch.look();
      });
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#url = `http://127.0.0.1:${portOf(this.#server)}`;
  }

  get url(): string {
    return this.#url;
  }

  get requests(): readonly FakeRequest[] {
    return this.#requests;
  }

  objects(resource: Resource): readonly KubeObject[] {
    return this.#store.list(this.#known(resource), undefined).map(asKubeObject);
  }

  find(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    const object = this.#store.find({ resource: this.#known(resource), namespace: namespace ?? '', name });
    return object === undefined ? undefined : asKubeObject(object);
  }

  put(resource: Resource, object: JsonObject): KubeObject {
    return asKubeObject(this.#writes.put(this.#known(resource), object));
  }

  edit(
    resource: Resource,
    { namespace = '', name }: { namespace?: string; name: string },
    change: (object: JsonObject) => JsonObject,
  ): KubeObject {
    const object = this.#store.find({ resource: this.#known(resource), namespace, name });
    if (object === undefined) throw new Error(`${resource.plural} ${namespace}/${name}: there is none`);
    return this.put(resource, change(structuredClone(object)));
  }

  finishDeletion(uid: string): void {
    const entry = this.#store.entries().find(([, object]) => metaOf(object)['uid'] === uid);
    if (entry !== undefined) this.#store.remove(entry[0]);
  }

  collectGarbage(): readonly string[] {
    return collectGarbage(this.#store, this.#writes);
  }

  fail(match: FakeMatch, fault: FakeFault, times = 1): void {
    this.#faults.fail(match, fault, times);
  }

  heal(): void {
    this.#faults.heal();
  }

  hold(match: FakeMatch, at: 'request' | 'answer' = 'request'): FakeHold {
    return this.#faults.hold(match, at);
  }

  compact(): void {
    this.#store.compact();
    this.#reads.compact();
  }

  bookmark(): void {
    this.#watches.bookmark();
  }

  lag(behind: number): void {
    this.#watches.lag(behind);
  }

  catchUp(): void {
    this.#watches.catchUp();
  }

  conceal(name: string): void {
    this.#watches.conceal(name);
  }

  watching(plural: string): number {
    return this.#watches.count(plural);
  }

  breakWatches(plural: string, how: FakeBreak): void {
    this.#watches.break(plural, how);
  }

  writeToWatches(plural: string, bytes: string | Uint8Array): void {
    this.#watches.write(plural, bytes);
  }

  async until(isTrue: () => boolean): Promise<void> {
    await this.#watch.until(isTrue);
  }

  onLook(listener: () => void): void {
    this.#watch.onLook(listener);
  }

  async close(): Promise<void> {
    this.#faults.releaseAll();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const request = await this.#read(incoming);
    if (request === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    this.#requests.push(request);
    const fault = this.#faults.take(request);
    const held = this.#faults.waiting(request, 'request');
    this.#watch.look();
    await held;
    if (fault === undefined || fault.kind === 'reset-after') await this.#answer(request, response, fault !== undefined);
    else spoil(response, fault);
    this.#watch.look();
  }

  async #read(incoming: IncomingMessage): Promise<FakeRequest | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const { method = '', url = '', headers } = incoming;
    const { authorization, 'content-type': contentType } = headers;
    const body = Buffer.concat(chunks).toString('utf8');
    return parseRequest({ method, url, authorization, contentType, body }, this.#resources);
  }

  async #answer(request: FakeRequest, response: ServerResponse, willReset: boolean): Promise<void> {
    const answer = outcomeOf(() => this.#carryOut(request, response));
    if (answer === undefined) return;
    const held = this.#faults.waiting(request, 'answer');
    this.#watch.look();
    await held;
    if (willReset) response.socket?.resetAndDestroy();
    else send(response, answer.status, answer.body);
  }

  /** `undefined`: a watch, which answers by itself. */
  #carryOut(request: FakeRequest, response: ServerResponse): Answer | undefined {
    switch (request.verb) {
      case 'get':
        return { status: 200, body: this.#reads.get(request) };
      case 'list':
        return { status: 200, body: this.#reads.list(request) };
      case 'watch':
        this.#watches.open(request, response);
        return undefined;
      case 'create':
        return { status: 201, body: this.#writes.create(request) };
      case 'update':
        return { status: 200, body: this.#writes.update(request) };
      case 'patch':
        return { status: 200, body: this.#writes.patch(request) };
      case 'delete':
        return { status: 200, body: this.#writes.delete(request) };
    }
  }

  #known(resource: Resource): FakeResource {
    const known = this.#resources.find((candidate) => resourceKey(candidate) === resourceKey(resource));
    if (known === undefined) throw new Error(`the fake API server has no ${resourceKey(resource)}`);
    return known;
  }
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** A refusal is an answer as well. */
function outcomeOf(carryOut: () => Answer | undefined): Answer | undefined {
  try {
    return carryOut();
  } catch (error) {
    if (!(error instanceof FakeRefusal)) throw error;
    return { status: error.status, body: statusBody(error.status, error.reason, error.message) };
  }
}

function spoil(response: ServerResponse, fault: Exclude<FakeFault, { kind: 'reset-after' }>): void {
  switch (fault.kind) {
    case 'status': {
      const { status, reason = 'InternalError', message = 'made to fail', retryAfter } = fault;
      if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
      send(response, status, statusBody(status, reason, message));
      return;
    }
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return;
    case 'bytes':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(fault.bytes, () => {
        if (fault.end === 'fin') response.end();
        if (fault.end === 'reset') response.socket?.resetAndDestroy();
      });
  }
}

function send(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
