import type { Handling } from '../endpoints.ts';

const integer = { type: 'integer', minimum: 0 };

/** The headers that Corral adds to answers. */
export const HEADERS = {
  'x-request-id': {
    description:
      "The request's own id if it had one of letters, digits, `_` and `-`, else a new one; it is in the log.",
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
  },
  'retry-after': {
    description: 'Whole seconds after which asking again makes sense.',
    schema: { type: 'integer', minimum: 1 },
  },
  'x-should-retry': {
    description: 'Asking again would not help, or would only have the model generate all of it anew.',
    schema: { const: 'false' },
  },
  'x-corral-queue-ms': {
    description:
      'Milliseconds that the request waited for its model. Missing where the head went out before the wait was over.',
    schema: integer,
  },
  'x-corral-load-ms': {
    description: 'Milliseconds of that wait in which the model was loading.',
    schema: integer,
  },
} as const;

const refs = (names: readonly (keyof typeof HEADERS)[]): object =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** The headers of the answers with one status. */
export function headersOf(status: number, handling: Handling): object {
  const isAsked = handling === 'forward';
  return refs([
    'x-request-id',
    ...(status === 429 || status === 503 ? (['retry-after'] as const) : []),
    ...(status >= 400 ? (['x-should-retry'] as const) : []),
    ...(isAsked && status === 200 ? (['x-corral-queue-ms', 'x-corral-load-ms'] as const) : []),
  ]);
}
