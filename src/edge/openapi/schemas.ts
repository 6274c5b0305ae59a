import { ERROR_CODES } from '../error-codes.ts';

/** A JSON Schema of draft 2020-12, which OpenAPI 3.1 uses. */
export type Schema = object;

const string = { type: 'string' };
const strings = { type: 'array', items: string };
const count = { type: 'integer', minimum: 0 };
const PHASES = ['unloaded', 'waiting', 'loading', 'ready', 'draining', 'stopping', 'failed'];

const objectOf = (properties: object, optional: readonly string[] = []): Schema => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

export const refTo = (name: keyof typeof SCHEMAS): Schema => ({ $ref: `#/components/schemas/${name}` });

export const MODEL_NAME: Schema = {
  type: 'string',
  minLength: 1,
  description: 'The name of a model, or an alias of it; GET /v1/models lists them.',
};

const error = (code: Schema, description: string): Schema => ({
  description,
  ...objectOf({
    error: objectOf({ message: string, type: string, param: { type: ['string', 'null'] }, code }, ['param']),
  }),
});

/** The schemas that more than one operation uses, or that clients want to name. */
export const SCHEMAS = {
  Error: error(
    { enum: ERROR_CODES.map(({ code }) => code) },
    'An error of Corral. `code` is stable; `message` is for people.',
  ),
  ModelError: error(
    { type: ['integer', 'string'] },
    "An error of the model's llama-server, passed on as it is. Its `code` is the HTTP status.",
  ),
  Health: objectOf({ status: { const: 'ok' } }),
  Done: objectOf({
    success: { const: true },
    outcome: {
      enum: ['ordered', 'loaded', 'unloaded'],
      description:
        '`ordered`: the wish is recorded, and nothing more is known. The others: it is so, with `wait=true`.',
    },
  }),
  Model: objectOf({
    id: string,
    aliases: strings,
    tags: strings,
    object: { const: 'model' },
    owned_by: { const: 'llamacpp' },
    created: { ...count, description: 'When Corral started, in seconds since 1970.' },
    status: objectOf(
      {
        value: { enum: ['unloaded', 'loading', 'loaded', 'draining'] },
        failed: { const: true, description: 'Its last load failed, and is not tried again yet.' },
        exit_code: { type: 'integer' },
        phase: { enum: PHASES, description: 'As `value`, and finer.' },
        reason: { ...string, description: 'Why, in one word of a closed list.' },
        message: { ...string, description: 'Why, for people.' },
        position: {
          type: 'integer',
          minimum: 1,
          description: 'Its place among those of its pool that wait for room, the next one 1.',
        },
        holders: {
          ...strings,
          description: 'Of one that waits for room: the models that take the room of its pool.',
        },
        expected_load_ms: { ...count, description: 'How long its last load took. Missing: nobody has measured one.' },
      },
      ['failed', 'exit_code', 'reason', 'message', 'position', 'holders', 'expected_load_ms'],
    ),
    source: { enum: ['preset', 'models_dir', 'manifest'] },
  }),
  ModelList: objectOf({
    object: { const: 'list' },
    data: { type: 'array', items: { $ref: '#/components/schemas/Model' } },
  }),
  Plan: objectOf(
    {
      model: string,
      pool: string,
      outcome: { enum: ['ready', 'loading', 'returns', 'starts', 'waits', 'refused'] },
      message: string,
      bin: string,
      reason: string,
      position: { type: 'integer', minimum: 1 },
      until_seconds: count,
      holders: strings,
      leaving: {
        type: 'array',
        items: objectOf({ model: string, replica: string, cause: string, idle_seconds: count }, [
          'model',
          'replica',
          'idle_seconds',
        ]),
      },
    },
    ['bin', 'reason', 'position', 'until_seconds', 'holders', 'leaving'],
  ),
} as const;
