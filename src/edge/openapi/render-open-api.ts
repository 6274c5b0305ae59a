import { ENDPOINTS, pathText, type ApiFamily, type ClosedName, type Endpoint } from '../endpoints.ts';
import { collectErrorResponses, type ErrorResponses } from './error-responses.ts';
import { HEADERS } from './headers.ts';
import { operationOf } from './operation-of.ts';
import { SCHEMAS } from './schemas.ts';

export interface OpenApiOptions {
  /** Corral's own. */
  readonly version: string;
  /** Endpoints that are in it beside those that are always open. */
  readonly opened: readonly ClosedName[];
}

/** The endpoints of the edge as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), in JSON. */
export const renderOpenApi = (options: OpenApiOptions): string => `${JSON.stringify(documentOf(options), null, 2)}\n`;

function documentOf({ version, opened }: OpenApiOptions): object {
  const endpoints = ENDPOINTS.filter(({ closed }) => closed === undefined || opened.includes(closed));
  const errors = collectErrorResponses(endpoints);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Corral',
      version,
      summary: 'Every llama.cpp model behind one endpoint, loaded on demand.',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: 'http://127.0.0.1:8080', description: 'Where `corral serve` listens unless it is told otherwise.' },
    ],
    security: [{}, { bearer: [] }, { apiKey: [] }],
    tags: TAGS.map(([name, description, url]) => ({
      name,
      description,
      ...(url === '' ? {} : { externalDocs: { url } }),
    })),
    paths: pathsOf(endpoints, errors),
    components: {
      schemas: SCHEMAS,
      responses: Object.fromEntries(errors.byName),
      headers: HEADERS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: KEY },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: KEY },
      },
    },
  };
}

function pathsOf(endpoints: readonly Endpoint[], errors: ErrorResponses): object {
  const operations = endpoints.flatMap((endpoint) =>
    endpoint.paths.map((path) => ({
      path: pathText(path),
      method: endpoint.method.toLowerCase(),
      operation: operationOf(endpoint, path, errors.of(endpoint)),
    })),
  );
  const paths = [...new Set(operations.map(({ path }) => path))];
  const itemOf = (path: string): object =>
    Object.fromEntries(
      operations.filter((one) => one.path === path).map(({ method, operation }) => [method, operation]),
    );
  return Object.fromEntries(paths.map((path) => [path, itemOf(path)]));
}

const KEY = 'A key, if the server asks for keys at all. `x-corral-operation` of an operation says what it must allow.';

const ABOUT = [
  'What is not here is 404 `not_found`, or 405 `method_not_allowed` with `Allow`, and reaches no model. Paths are compared byte for byte.',
  'HEAD is answered wherever GET is, OPTIONS everywhere.',
  'A request for a model that is not loaded is held until it is. Its body goes to the llama-server of the model unchanged.',
].join(' ');

/** Whose APIs these are, and where they are described. */
const TAGS: readonly (readonly [name: ApiFamily, description: string, url: string])[] = [
  ['openai', "OpenAI's API", 'https://platform.openai.com/docs/api-reference'],
  ['anthropic', "Anthropic's API", 'https://docs.anthropic.com/en/api/messages'],
  ['jina', "Jina's rerank API, and that of Text Embeddings Inference", 'https://jina.ai/reranker'],
  [
    'llama-server',
    "llama-server's own API",
    'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
  ],
  ['corral', "Corral's own API", ''],
];
