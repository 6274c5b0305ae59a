import { ERROR_CODES, type ErrorScene } from '../error-codes.ts';
import type { Endpoint } from '../endpoints.ts';
import { headersOf } from './headers.ts';
import { refTo } from './schemas.ts';

export interface ErrorResponse {
  readonly status: number | 'default';
  readonly response: object;
}

/** The answers of an endpoint that are errors. What a model itself answers is the `default`. */
export function errorsOf(endpoint: Endpoint): readonly ErrorResponse[] {
  const scenes = scenesOf(endpoint);
  const here = ERROR_CODES.filter((kind) => kind.scenes.some((scene) => scenes.has(scene)));
  const statuses = [...new Set(here.flatMap((kind): readonly number[] => kind.statuses))].sort((a, b) => a - b);
  const own = statuses.map((status) => {
    const codes = here.filter((kind) => kind.statuses.some((one) => one === status)).map(({ code }) => code);
    return { status, response: errorOf(status, codes, endpoint) };
  });
  return reachesModel(endpoint) ? [...own, { status: 'default', response: MODEL_ERROR }] : own;
}

const errorOf = (status: number, codes: readonly string[], endpoint: Endpoint): object => ({
  description: codes.map((code) => `\`${code}\``).join(', '),
  headers: headersOf(status, endpoint.handling),
  content: { 'application/json': { schema: bodyOf(status, endpoint) } },
});

/** A model may answer with any status, and then the error is its own. */
const bodyOf = (status: number, endpoint: Endpoint): object =>
  reachesModel(endpoint) && isStatusOfModels(status)
    ? { anyOf: [refTo('Error'), refTo('ModelError')] }
    : refTo('Error');

/** The statuses of llama-server's errors (tools/server/server-common.cpp). */
const isStatusOfModels = (status: number): boolean => [400, 404, 500, 501, 503].includes(status);

const MODEL_ERROR = {
  description: "An error of the model's llama-server, passed on as it is",
  content: { 'application/json': { schema: refTo('ModelError') } },
};

const reachesModel = ({ handling }: Endpoint): boolean => handling === 'forward' || handling === 'look';

function scenesOf({ method, operation, model, handling }: Endpoint): ReadonlySet<ErrorScene> {
  return new Set([
    'always',
    ...(operation === 'public' ? [] : (['key'] as const)),
    ...(model === 'nowhere' ? [] : (['model'] as const)),
    ...(method === 'POST' ? (['body'] as const) : []),
    ...HANDLED[handling],
  ]);
}

/** What can go wrong where an endpoint is handled so, and nowhere else. */
const HANDLED: Readonly<Record<Endpoint['handling'], readonly ErrorScene[]>> = {
  health: [],
  'list-models': ['reload'],
  'show-model': [],
  'load-model': ['order', 'load'],
  'unload-model': ['order'],
  plan: ['plan'],
  look: ['look'],
  forward: ['forward'],
};
