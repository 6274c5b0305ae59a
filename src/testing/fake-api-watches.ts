import type { JsonObject } from '../domain/json.ts';
import type { ServerResponse } from 'node:http';
import { expired } from './fake-api-refusal.ts';
import type { FakeRequest } from './fake-api-request.ts';
import { apiVersionOf, resourceKey } from './fake-api-resources.ts';
import { isSelected } from './fake-api-selector.ts';
import { metaOf, withMeta, type FakeApiStore, type FakeChange } from './fake-api-store.ts';

/** How running watches break: as if the server ended them, the connection broke, or it died without a word. */
export type FakeBreak = 'fin' | 'reset' | 'silence';

interface OpenWatch {
  readonly request: FakeRequest;
  readonly response: ServerResponse;
  /** How many versions the server that serves it is behind. */
  behind: number;
  /** What that server has not heard of yet. */
  readonly unheard: FakeChange[];
}

/** The watches that are open. */
export class FakeApiWatches {
  readonly #store: FakeApiStore;
  readonly #watches = new Set<OpenWatch>();
  readonly #untold = new Set<string>();
  readonly #notify: () => void;
  #behind = 0;

  constructor(store: FakeApiStore, notify: () => void) {
    this.#store = store;
    this.#notify = notify;
    store.onChange((change) => {
      for (const watch of this.#watches) {
        watch.unheard.push(change);
        this.#tellWhatIsHeard(watch);
      }
    });
  }

  /** How many are open and not silent. */
  count(plural: string): number {
    return this.#of(plural).length;
  }

  open(request: FakeRequest, response: ServerResponse): void {
    const missed = this.#store.changesSince(Number(request.query.get('resourceVersion')));
    if (missed === undefined) throw expired();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch: OpenWatch = { request, response, behind: this.#behind, unheard: [...missed] };
    this.#watches.add(watch);
    response.on('close', () => {
      this.#watches.delete(watch);
      this.#notify();
    });
    this.#tellWhatIsHeard(watch);
  }

  /**
   * Watches that are opened from now on are served by a server that is so many versions behind, as one of several may be; those
   * that are open stay where they are.
   */
  lag(behind: number): void {
    this.#behind = behind;
  }

  /** All servers have heard of everything, and no one is behind any more. */
  catchUp(): void {
    this.#behind = 0;
    for (const watch of this.#watches) {
      watch.behind = 0;
      this.#tellWhatIsHeard(watch);
    }
  }

  /** No watch tells of objects of this name any more, as a server with a fault would. */
  conceal(name: string): void {
    this.#untold.add(name);
  }

  /** Says to all watches how far they have come. */
  bookmark(): void {
    for (const { request, response, behind } of this.#watches) {
      const { resource } = request;
      // A server says nothing of a version that it does not know itself.
      const version = Math.max(Number(request.query.get('resourceVersion')), this.#store.version - behind);
      const metadata = { resourceVersion: String(version), creationTimestamp: null };
      const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  /** Writes these very bytes to the watches of a kind. */
  write(plural: string, text: string | Uint8Array): void {
    for (const { response } of this.#of(plural)) response.write(text);
  }

  break(plural: string, how: FakeBreak): void {
    for (const watch of this.#of(plural)) {
      this.#watches.delete(watch);
      if (how === 'fin') watch.response.end();
      if (how === 'reset') watch.response.socket?.resetAndDestroy();
    }
  }

  #tellWhatIsHeard({ request, response, behind, unheard }: OpenWatch): void {
    const heard = unheard.filter(({ version }) => version <= this.#store.version - behind);
    unheard.splice(0, heard.length);
    for (const change of heard) this.#tell(request, response, change);
  }

  #tell(request: FakeRequest, response: ServerResponse, change: FakeChange): void {
    const { name } = metaOf(change.after ?? change.before ?? {});
    if (typeof name === 'string' && !this.#untold.has(name)) tell(request, response, change);
  }

  #of(plural: string): readonly OpenWatch[] {
    return [...this.#watches].filter(({ request }) => request.resource.plural === plural);
  }
}

function tell({ resource, namespace, query }: FakeRequest, response: ServerResponse, change: FakeChange): void {
  if (resourceKey(resource) !== resourceKey(change.resource)) return;
  const isMeant = (object: JsonObject | undefined): object is JsonObject =>
    object !== undefined &&
    (namespace === '' || metaOf(object)['namespace'] === namespace) &&
    isSelected(object, query.get('labelSelector'));
  const { before, after } = change;
  if (isMeant(after)) say(response, isMeant(before) ? 'MODIFIED' : 'ADDED', after);
  else if (isMeant(before)) say(response, 'DELETED', withMeta(before, { resourceVersion: String(change.version) }));
}

function say(response: ServerResponse, type: string, object: JsonObject): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}
