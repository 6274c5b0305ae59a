/** Where an error can come up: `always`, or only where a request does such a thing. `nowhere`: at no endpoint. */
export type ErrorScene =
  'always' | 'nowhere' | 'key' | 'model' | 'body' | 'order' | 'load' | 'reload' | 'plan' | 'look' | 'forward';

interface ErrorKind {
  readonly code: string;
  /** None: it comes in an event of a stream that has begun. */
  readonly statuses: readonly number[];
  readonly scenes: readonly ErrorScene[];
}

/** Every `code` that an error of Corral can have. They are stable: programs decide by them. */
export const ERROR_CODES = [
  { code: 'bad_request', statuses: [400, 417, 505], scenes: ['always'] },
  { code: 'invalid_model', statuses: [400], scenes: ['model'] },
  { code: 'model_not_loaded', statuses: [400], scenes: ['look', 'load', 'forward'] },
  { code: 'invalid_order', statuses: [400], scenes: ['order'] },
  { code: 'invalid_api_key', statuses: [401], scenes: ['key'] },
  { code: 'permission_denied', statuses: [403], scenes: ['key'] },
  { code: 'origin_not_allowed', statuses: [403], scenes: ['always'] },
  { code: 'not_found', statuses: [404], scenes: ['nowhere'] },
  { code: 'model_not_found', statuses: [404], scenes: ['model'] },
  { code: 'method_not_allowed', statuses: [405], scenes: ['nowhere'] },
  { code: 'head_too_slow', statuses: [408], scenes: ['always'] },
  { code: 'body_too_slow', statuses: [408], scenes: ['body'] },
  { code: 'body_too_large', statuses: [413], scenes: ['body'] },
  { code: 'unsupported_media_type', statuses: [415], scenes: ['body'] },
  { code: 'head_too_large', statuses: [431], scenes: ['always'] },
  { code: 'key_concurrency_limit', statuses: [429], scenes: ['key'] },
  { code: 'queue_full', statuses: [429], scenes: ['order', 'forward'] },
  { code: 'internal_error', statuses: [500], scenes: ['always'] },
  { code: 'reload_failed', statuses: [500], scenes: ['reload'] },
  { code: 'planned_elsewhere', statuses: [501], scenes: ['plan'] },
  { code: 'upstream_failed', statuses: [502], scenes: ['look', 'forward'] },
  { code: 'upstream_refused', statuses: [], scenes: ['forward'] },
  { code: 'model_load_failed', statuses: [503], scenes: ['load', 'forward'] },
  { code: 'model_wait_timeout', statuses: [503], scenes: ['order', 'forward'] },
  { code: 'pool_paused', statuses: [503], scenes: ['load', 'forward'] },
  { code: 'model_too_large', statuses: [503], scenes: ['load', 'forward'] },
  { code: 'pool_not_found', statuses: [503], scenes: ['load', 'forward'] },
  { code: 'model_not_accepted', statuses: [503], scenes: ['load', 'forward'] },
  { code: 'overloaded', statuses: [503], scenes: ['body', 'forward'] },
  { code: 'too_many_connections', statuses: [503], scenes: ['always'] },
  { code: 'shutting_down', statuses: [503], scenes: ['always'] },
  { code: 'request_timeout', statuses: [504], scenes: ['always'] },
  { code: 'first_byte_timeout', statuses: [504], scenes: ['forward'] },
  { code: 'chunk_timeout', statuses: [], scenes: ['forward'] },
] as const satisfies readonly ErrorKind[];

export type ErrorCode = (typeof ERROR_CODES)[number]['code'];
