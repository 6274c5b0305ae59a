/** What the edge does with a request. */
export type Endpoint = 'health' | 'list-models' | 'load-model' | 'unload-model' | 'slots' | 'plan' | 'forward';

interface Entry {
  readonly method: 'GET' | 'POST';
  readonly endpoint: Endpoint;
}

/** Where it is told what would become of a request; also on the port of the operator's probes. */
export const PLAN_PATH = '/models/plan';

/** The whole surface: a path that is not here is answered 404 and forwarded nowhere. */
const ENDPOINTS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...entries('GET', 'health', ['/health', '/v1/health']),
  ...entries('GET', 'list-models', ['/models', '/v1/models']),
  ...entries('GET', 'slots', ['/slots']),
  ...entries('GET', 'plan', [PLAN_PATH]),
  ...entries('POST', 'load-model', ['/models/load']),
  ...entries('POST', 'unload-model', ['/models/unload']),
  ...entries('POST', 'forward', [
    '/v1/chat/completions',
    '/chat/completions',
    '/v1/completions',
    '/completions',
    '/completion',
    '/v1/embeddings',
    '/embeddings',
    '/embedding',
    '/v1/responses',
    '/responses',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/infill',
    '/rerank',
    '/reranking',
    '/v1/rerank',
    '/v1/reranking',
    '/tokenize',
    '/detokenize',
    '/apply-template',
  ]),
]);

function entries(method: Entry['method'], endpoint: Endpoint, paths: readonly string[]): (readonly [string, Entry])[] {
  return paths.map((path) => [path, { method, endpoint }]);
}

export type FoundEndpoint =
  | { readonly kind: 'found'; readonly endpoint: Endpoint }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown-path' };

/** Compares the path byte for byte: no decoding, no folding of case, dots or slashes. */
export function findEndpoint(method: string | undefined, path: string): FoundEndpoint {
  const entry = ENDPOINTS.get(path);
  if (entry === undefined) return { kind: 'unknown-path' };
  return entry.method === method
    ? { kind: 'found', endpoint: entry.endpoint }
    : { kind: 'wrong-method', allow: entry.method };
}
