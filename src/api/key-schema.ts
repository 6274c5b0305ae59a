import Type from 'typebox';
import { KEY_OPERATIONS } from '../domain/api-key.ts';
import { list, mapBy, object, oneOf, SET, text, whole } from './schema-kit.ts';

/** Keys of one file: what that many take to read does not hold requests up. */
const MAX_KEYS = 1000;
const MAX_PATTERNS = 256;

/** Longer than any name, and shorter than a key of `corral key`: one that was written into the wrong field is refused. */
const MAX_ID = 40;

export const KeySchema = object('One client.', {
  id: text(
    `a name of at most ${MAX_ID} letters, digits, '.', '_', '-' and '@'`,
    'What logs and metrics call the client. It is no secret.',
    { maxLength: MAX_ID, pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]*$' },
  ),
  sha256: text('64 hexadecimal digits', "The SHA-256 of the key's bytes. The key itself never stands in the file.", {
    pattern: '^[0-9a-fA-F]{64}$',
  }),
  models: Type.Optional(
    list(
      'The models that it may use, by their canonical names: `*` stands for any characters, `?` for one. To it, the others do not exist.',
      text('the name of a model, or a pattern of names', 'A name or pattern.'),
      MAX_PATTERNS,
      { ...SET, minItems: 1, title: `a list of 1 to ${MAX_PATTERNS} items`, otherwise: 'all' },
    ),
  ),
  operations: Type.Optional(
    list('What it may do.', oneOf('One operation.', KEY_OPERATIONS), KEY_OPERATIONS.length, {
      ...SET,
      minItems: 1,
      title: `a list of ${KEY_OPERATIONS.join(', ')}, or both`,
      otherwise: 'infer',
    }),
  ),
  maxInFlight: Type.Optional(
    whole('Requests that it may have under way at once, those that wait among them.', 1, 1_000_000, {
      otherwise: 'no limit',
    }),
  ),
});

/** A keys file. */
export const KeysFileSchema = object('Who may use Corral.', {
  keys: list('The clients. An empty list lets nobody in.', KeySchema, MAX_KEYS, mapBy('id')),
});
