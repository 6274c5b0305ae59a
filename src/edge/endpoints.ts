/**
 * The whole surface of the edge, as data: what is not here is answered 404 and forwarded nowhere. The look-up, the rights of
 * API keys, the labels of metrics, the OpenAPI document and the reference in docs/serve.md all read this one table.
 * llama-server's own paths are those that llama.cpp's tools/server/server.cpp registers, with and without `/v1` as there.
 */

/** Whose API it is, which decides the shape of what Corral itself says in an answer. */
export type ApiFamily = 'openai' | 'anthropic' | 'jina' | 'llama-server' | 'corral';

/** What a key must allow once there are keys. `public`: no key is asked for. */
export type Operation = 'public' | 'infer' | 'models:manage';

/** Where a request names its model. `multipart`: in a field of a form. */
export type ModelPlace = 'nowhere' | 'path' | 'query' | 'json' | 'multipart';

/**
 * What the edge does with a request. `look`: asks a model that is loaded, loads nothing and counts as no use.
 * `forward`: sends it to the model, which is loaded for it.
 */
export type Handling =
  'health' | 'list-models' | 'show-model' | 'load-model' | 'unload-model' | 'plan' | 'look' | 'forward';

/** Closed unless the administrator opens it by this name, with `--open-endpoint`. */
export type ClosedName = 'lora-adapters' | 'metrics' | 'props' | 'slots-save';

/** A path whose last part varies. */
export interface PathPattern {
  /** All that comes before the part. */
  readonly prefix: string;
  readonly parameter: string;
  /** What the part must be, as the client wrote it. */
  readonly rest: RegExp;
}

/** One thing that clients can ask for, under one path or several. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly paths: readonly (string | PathPattern)[];
  readonly handling: Handling;
  readonly api: ApiFamily;
  readonly operation: Operation;
  readonly model: ModelPlace;
  /** The answer comes as an event stream if the body says `"stream": true`. */
  readonly canStream: boolean;
  /** In one line; the first word says what it does. */
  readonly summary: string;
  /** Unless it is open to all. */
  readonly closed?: ClosedName;
}

/** Where it is told what would become of a request; also on the operator's admin port. */
export const PLAN_PATH = '/models/plan';

/** What comes before the name of one model; all that follows is the name, slashes among it. */
export const BEFORE_MODEL = '/v1/models/';

const asked = { method: 'GET', canStream: false } as const;
const ordered = { method: 'POST', api: 'corral', operation: 'models:manage', model: 'json', canStream: false } as const;
const inferred = { method: 'POST', handling: 'forward', operation: 'infer', model: 'json' } as const;
const closed = { api: 'llama-server', operation: 'models:manage', model: 'query', canStream: false } as const;

export const ENDPOINTS: readonly Endpoint[] = [
  {
    ...asked,
    paths: ['/health', '/v1/health'],
    handling: 'health',
    api: 'llama-server',
    operation: 'public',
    model: 'nowhere',
    summary: 'Says that the server runs, whatever the models do',
  },
  {
    // `?reload=` reads the declarations again: that is `models:manage`.
    ...asked,
    paths: ['/v1/models', '/models'],
    handling: 'list-models',
    api: 'openai',
    operation: 'infer',
    model: 'nowhere',
    summary: 'Lists the models, loaded or not',
  },
  {
    ...asked,
    paths: [{ prefix: BEFORE_MODEL, parameter: 'model', rest: /^.+$/su }],
    handling: 'show-model',
    api: 'openai',
    operation: 'infer',
    model: 'path',
    summary: 'Shows one model, whose name may hold slashes',
  },
  {
    // It names other models too, of which a key for inference must not learn.
    ...asked,
    paths: [PLAN_PATH],
    handling: 'plan',
    api: 'corral',
    operation: 'models:manage',
    model: 'query',
    summary: 'Tells what would become of a request for a model now, and loads nothing',
  },
  {
    ...ordered,
    paths: ['/models/load'],
    handling: 'load-model',
    summary: 'Orders that a model be loaded',
  },
  {
    ...ordered,
    paths: ['/models/unload'],
    handling: 'unload-model',
    summary: 'Orders that a model be unloaded when its requests have ended',
  },
  {
    ...asked,
    paths: ['/slots'],
    handling: 'look',
    api: 'llama-server',
    operation: 'infer',
    model: 'query',
    summary: 'Shows what the llama-server of a loaded model is doing',
  },
  {
    ...inferred,
    paths: ['/v1/chat/completions', '/chat/completions'],
    api: 'openai',
    canStream: true,
    summary: 'Answers a chat',
  },
  {
    ...inferred,
    paths: ['/v1/chat/completions/input_tokens', '/chat/completions/input_tokens'],
    api: 'openai',
    canStream: false,
    summary: 'Counts the tokens of a chat',
  },
  {
    ...inferred,
    paths: ['/v1/completions'],
    api: 'openai',
    canStream: true,
    summary: 'Completes a text',
  },
  {
    ...inferred,
    paths: ['/completion', '/completions'],
    api: 'llama-server',
    canStream: true,
    summary: "Completes a text, in llama-server's own form",
  },
  {
    ...inferred,
    paths: ['/infill'],
    api: 'llama-server',
    canStream: true,
    summary: 'Fills in code between a prefix and a suffix',
  },
  {
    ...inferred,
    paths: ['/v1/responses', '/responses'],
    api: 'openai',
    canStream: true,
    summary: 'Answers by the Responses API',
  },
  {
    ...inferred,
    paths: ['/v1/responses/input_tokens', '/responses/input_tokens'],
    api: 'openai',
    canStream: false,
    summary: 'Counts the tokens of a request by the Responses API',
  },
  {
    ...inferred,
    paths: ['/v1/messages'],
    api: 'anthropic',
    canStream: true,
    summary: "Answers by Anthropic's Messages API",
  },
  {
    ...inferred,
    paths: ['/v1/messages/count_tokens'],
    api: 'anthropic',
    canStream: false,
    summary: "Counts the tokens of a request by Anthropic's Messages API",
  },
  {
    ...inferred,
    paths: ['/v1/audio/transcriptions', '/audio/transcriptions'],
    api: 'openai',
    model: 'multipart',
    canStream: true,
    summary: 'Transcribes speech',
  },
  {
    ...inferred,
    paths: ['/v1/embeddings'],
    api: 'openai',
    canStream: false,
    summary: 'Embeds texts',
  },
  {
    ...inferred,
    paths: ['/embeddings', '/embedding'],
    api: 'llama-server',
    canStream: false,
    summary: "Embeds texts, in llama-server's own form",
  },
  {
    ...inferred,
    paths: ['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
    api: 'jina',
    canStream: false,
    summary: 'Ranks documents by a query',
  },
  {
    ...inferred,
    paths: ['/tokenize'],
    api: 'llama-server',
    canStream: false,
    summary: 'Turns a text into tokens',
  },
  {
    ...inferred,
    paths: ['/detokenize'],
    api: 'llama-server',
    canStream: false,
    summary: 'Turns tokens into a text',
  },
  {
    ...inferred,
    paths: ['/apply-template'],
    api: 'llama-server',
    canStream: false,
    summary: 'Writes a chat as the text that the model would get',
  },
  {
    ...closed,
    method: 'POST',
    paths: [{ prefix: '/slots/', parameter: 'id_slot', rest: /^\d{1,4}$/u }],
    handling: 'forward',
    summary: "Saves, restores or erases a slot's cache, as `?action=` says",
    closed: 'slots-save',
  },
  {
    ...closed,
    method: 'GET',
    paths: ['/lora-adapters'],
    handling: 'look',
    summary: "Lists a loaded model's LoRA adapters, with the paths of their files",
    closed: 'lora-adapters',
  },
  {
    ...closed,
    method: 'POST',
    paths: ['/lora-adapters'],
    handling: 'forward',
    summary: "Sets the scales of a model's LoRA adapters for all its requests",
    closed: 'lora-adapters',
  },
  {
    ...closed,
    method: 'GET',
    paths: ['/props'],
    handling: 'look',
    summary: "Shows a loaded model's properties, with the path of its file and its chat template",
    closed: 'props',
  },
  {
    ...closed,
    method: 'POST',
    paths: ['/props'],
    handling: 'forward',
    summary: "Changes a model's properties for all its requests",
    closed: 'props',
  },
  {
    ...closed,
    method: 'GET',
    paths: ['/metrics'],
    handling: 'look',
    summary: "Shows the metrics of a loaded model's llama-server, in Prometheus' form",
    closed: 'metrics',
  },
];

/** The names that `--open-endpoint` takes. */
export const CLOSED_NAMES: readonly ClosedName[] = [
  ...new Set(ENDPOINTS.flatMap(({ closed: name }) => (name === undefined ? [] : [name]))),
].sort();

/** A path as documents write it: `/v1/models/{model}`. */
export const pathText = (path: string | PathPattern): string =>
  typeof path === 'string' ? path : `${path.prefix}{${path.parameter}}`;

/** What an endpoint is called where there is room for one path only, for instance in metrics. */
export const routeOf = ({ paths: [first] }: Endpoint): string => (first === undefined ? '' : pathText(first));
