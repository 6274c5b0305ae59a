import { StringDecoder } from 'node:string_decoder';
import { request, type Agent, type Dispatcher } from 'undici';
import { apiAgent } from './api-agent.ts';

/** An object as the API server has it; what is in it is for the test to know. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    /** Missing: the kind has none. */
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly [field: string]: unknown;
}

/** What a watch tells. */
export type Change =
  | { readonly kind: 'listed'; readonly items: readonly ApiObject[] }
  | { readonly kind: 'changed' | 'deleted'; readonly object: ApiObject };

/** What there was at one version. */
export interface Snapshot {
  readonly items: readonly ApiObject[];
  readonly version: string;
}

/** The API server has refused. */
export class RefusedCall extends Error {
  readonly status: number;
  /** The `Status` object that it answered, as text. */
  readonly answer: string;

  constructor(call: string, status: number, answer: string) {
    super(`${call} was answered ${status}: ${answer.slice(0, 2000)}`);
    this.name = 'RefusedCall';
    this.status = status;
    this.answer = answer;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Within this a test's wait has to end, in seconds. */
const PATIENCE = 90;

/** The tests' own way to an API server: small, and none of the product's code, so that the two cannot share a mistake. */
export class ApiClient {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(access: { readonly server: string; readonly token: string; readonly ca: string }) {
    this.#server = access.server;
    this.#token = access.token;
    this.#agent = apiAgent(access.ca);
  }

  /** A patch is a merge patch. Throws RefusedCall for an answer that is no success. */
  async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#send(method, path, { body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new RefusedCall(`${method} ${path}`, answer.statusCode, text);
    return text.startsWith('{') ? JSON.parse(text) : text;
  }

  /** As `kubectl apply --server-side` does: what is not in `object` any more is taken back. Throws RefusedCall. */
  async apply(collection: string, name: string, object: object): Promise<ApiObject> {
    const path = `${collection}/${name}?fieldManager=kubectl&fieldValidation=Strict`;
    const type = 'application/apply-patch+yaml';
    const answer = await this.#send('PATCH', path, { body: { metadata: { name }, ...object }, type });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new RefusedCall(`apply ${path}`, answer.statusCode, text);
    return asObject(JSON.parse(text));
  }

  /** What the API server warns of in its answer to a call that it takes; throws RefusedCall for any other. */
  async warningsOf(method: Method, path: string, body: unknown): Promise<readonly string[]> {
    const answer = await this.#send(method, path, { body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new RefusedCall(`${method} ${path}`, answer.statusCode, text);
    const { warning = [] } = answer.headers;
    return typeof warning === 'string' ? [warning] : warning;
  }

  /** `undefined`: there is none. */
  async find(collection: string, name: string): Promise<ApiObject | undefined> {
    const answer = await this.call('GET', `${collection}/${name}`).catch((error: unknown) => {
      if (error instanceof RefusedCall && error.status === 404) return undefined;
      throw error;
    });
    return answer === undefined ? undefined : asObject(answer);
  }

  async list(collection: string): Promise<readonly ApiObject[]> {
    return itemsOf(await this.call('GET', collection)).items;
  }

  /**
   * Watches one object (`undefined`: there is none) until `isSo` says yes of it, and returns it. Throws with the last
   * one seen after `seconds`.
   */
  async until(
    collection: string,
    name: string,
    isSo: (object: ApiObject | undefined) => boolean,
    seconds = PATIENCE,
  ): Promise<ApiObject | undefined> {
    const selector = `fieldSelector=metadata.name%3D${name}`;
    const signal = AbortSignal.timeout(seconds * 1000);
    let seen: ApiObject | undefined;
    try {
      for await (const state of this.#follow(collection, selector, signal)) {
        seen = state;
        if (isSo(state)) return state;
      }
      throw new Error(`the API server has ended the watch of ${collection}/${name}`);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new Error(`${collection}/${name}: not within ${seconds} s; last seen: ${JSON.stringify(seen)}`, {
        cause: error,
      });
    }
  }

  /** The states of the one object that a selector finds, from now on. */
  async *#follow(collection: string, selector: string, signal: AbortSignal): AsyncGenerator<ApiObject | undefined> {
    for await (const change of this.changes(collection, selector, signal)) {
      if (change.kind === 'listed') yield change.items[0];
      else yield change.kind === 'deleted' ? undefined : change.object;
    }
  }

  /** All objects that a selector finds, then what becomes of them, until the API server ends the watch. */
  async *changes(collection: string, selector: string, signal: AbortSignal): AsyncGenerator<Change> {
    const { items, version } = await this.snapshot(collection, selector);
    yield { kind: 'listed', items };
    yield* this.watch(collection, { selector, version }, signal);
  }

  /** All objects that a selector finds, and the version from which on a watch tells what becomes of them. */
  async snapshot(collection: string, selector: string): Promise<Snapshot> {
    return itemsOf(await this.call('GET', `${collection}?${selector}`));
  }

  /** What becomes of the objects that a selector finds, until the API server ends the watch. Throws RefusedCall. */
  async *watch(
    collection: string,
    { selector, version }: { readonly selector: string; readonly version: string },
    signal: AbortSignal,
  ): AsyncGenerator<Exclude<Change, { kind: 'listed' }>> {
    const path = `${collection}?${selector}&watch=true&resourceVersion=${version}`;
    const answer = await this.#send('GET', path, { signal });
    if (answer.statusCode >= 300) throw new RefusedCall(`GET ${path}`, answer.statusCode, await answer.body.text());
    for await (const line of linesOf(answer.body)) {
      const event: unknown = JSON.parse(line);
      if (!isEvent(event)) throw new RefusedCall(`the watch of ${collection}`, codeOf(event), line);
      yield { kind: event.type === 'DELETED' ? 'deleted' : 'changed', object: event.object };
    }
  }

  async #send(
    method: Method,
    path: string,
    {
      body,
      signal,
      type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    }: { readonly body?: unknown; readonly signal?: AbortSignal; readonly type?: string },
  ): Promise<Dispatcher.ResponseData> {
    return request(`${this.#server}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': type }) },
      body: body === undefined ? null : JSON.stringify(body),
      bodyTimeout: 0,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Ends all that it has open. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isObject = (value: unknown): value is ApiObject =>
  isRecord(value) && isRecord(value['metadata']) && typeof value['metadata']['name'] === 'string';

/** Throws for what is no object of Kubernetes. */
export function asObject(value: unknown): ApiObject {
  if (isObject(value)) return value;
  throw new Error(`no object of Kubernetes: ${JSON.stringify(value).slice(0, 200)}`);
}

function itemsOf(list: unknown): Snapshot {
  if (!isRecord(list) || !Array.isArray(list['items']) || !isRecord(list['metadata']))
    throw new Error('no list of objects');
  return { items: list['items'].map(asObject), version: String(list['metadata']['resourceVersion']) };
}

/** Of the Status in an event of an error; 0: it has none. */
function codeOf(event: unknown): number {
  const status = isRecord(event) ? event['object'] : undefined;
  return isRecord(status) && typeof status['code'] === 'number' ? status['code'] : 0;
}

const isEvent = (event: unknown): event is { readonly type: string; readonly object: ApiObject } =>
  isRecord(event) && event['type'] !== 'ERROR' && isObject(event['object']);
