import type { JsonObject } from '../domain/json.ts';
import { expired, FakeRefusal } from './fake-api-refusal.ts';
import type { FakeRequest } from './fake-api-request.ts';
import { apiVersionOf, isBuiltIn } from './fake-api-resources.ts';
import { hasFields, isSelected } from './fake-api-selector.ts';
import type { FakeApiStore } from './fake-api-store.ts';

interface Rest {
  readonly items: readonly JsonObject[];
  readonly version: string;
}

/** GET and LIST. A list's later pages are of the moment of its first. */
export class FakeApiReads {
  readonly #store: FakeApiStore;
  readonly #rests = new Map<string, Rest>();
  #tokens = 0;

  constructor(store: FakeApiStore) {
    this.#store = store;
  }

  get({ resource, namespace, name }: FakeRequest): JsonObject {
    const object = this.#store.find({ resource, namespace, name });
    if (object === undefined) throw notFound(resource.plural, name);
    return object;
  }

  list({ resource, namespace, query }: FakeRequest): JsonObject {
    const { items, version } = this.#from(query.get('continue'), () =>
      this.#store
        .list(resource, namespace === '' ? undefined : namespace)
        .filter((object) => isSelected(object, query.get('labelSelector')))
        .filter((object) => hasFields(object, query.get('fieldSelector'))),
    );
    const asked = query.get('limit');
    const limit = asked === null ? items.length : Number(asked);
    const rest = items.slice(limit);
    const token = rest.length === 0 ? '' : this.#keep({ items: rest, version });
    return {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata: { resourceVersion: version, ...(token === '' ? {} : { continue: token }) },
      items: items.slice(0, limit).map((item) => (isBuiltIn(resource) ? withoutKind(item) : item)),
    };
  }

  /** Lists that have begun cannot go on. */
  compact(): void {
    this.#rests.clear();
  }

  #from(token: string | null, all: () => readonly JsonObject[]): Rest {
    if (token === null) return { items: all(), version: String(this.#store.version) };
    const rest = this.#rests.get(token);
    if (rest === undefined) throw expired();
    return rest;
  }

  #keep(rest: Rest): string {
    this.#tokens += 1;
    const token = `continue-${this.#tokens}`;
    this.#rests.set(token, rest);
    return token;
  }
}

export const notFound = (plural: string, name: string): FakeRefusal =>
  new FakeRefusal(404, 'NotFound', `${plural} "${name}" not found`);

const withoutKind = (item: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(item).filter(([field]) => field !== 'kind' && field !== 'apiVersion'));
