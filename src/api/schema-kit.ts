import Type from 'typebox';
import type { Rule } from './manifest-rule.ts';

/**
 * What the schemas of Corral's objects are made of. `title` completes the sentence "must be …" in a message; `description` is for
 * the reader of the schema, the CRD and docs/api.md. Keywords that are not of JSON Schema: `rules` (`manifest-rule.ts`),
 * `otherwise` (what holds where nobody sets the field: a `default` would be written into the object and hide what the layers
 * below say), and Kubernetes' own `x-kubernetes-…`.
 */
export interface Extra extends Type.TSchemaOptions {
  readonly rules?: readonly Rule[];
  readonly otherwise?: string;
}

/** The prefix of every keyword of Kubernetes. */
const KUBERNETES = 'x-kubernetes-';

/** A list whose items an API server merges one by one; without this, one writer owns the whole list. */
export const mapBy = (...keys: readonly string[]): Extra => ({
  [`${KUBERNETES}list-type`]: 'map',
  [`${KUBERNETES}list-map-keys`]: keys,
});

/** A list in which no item comes twice. */
export const SET: Extra = { [`${KUBERNETES}list-type`]: 'set' };

/** An object that an API server replaces as a whole. */
export const ATOMIC: Extra = { [`${KUBERNETES}map-type`]: 'atomic' };

/** Any members beside those that are named. */
export const OPEN: Extra = { [`${KUBERNETES}preserve-unknown-fields`]: true, additionalProperties: true };

/** An object with these members and no others. */
export const object = <Members extends Type.TProperties>(
  description: string,
  members: Members,
  extra: Extra = {},
): Type.TObject<Members> =>
  Type.Object(members, { additionalProperties: false, title: 'an object', description, ...extra });

/** A list; `atomic` unless `extra` says otherwise. */
export const list = <Item extends Type.TSchema>(
  description: string,
  items: Item,
  maxItems: number,
  extra: Extra = {},
): Type.TArray<Item> =>
  Type.Array(items, {
    maxItems,
    title: `a list of at most ${maxItems} items`,
    description,
    [`${KUBERNETES}list-type`]: 'atomic',
    ...extra,
  });

/** A text of at least one character. `title`: what it must be. */
export const text = (title: string, description: string, extra: Extra & Type.TStringOptions = {}): Type.TString =>
  Type.String({ minLength: 1, maxLength: 1024, title, description, ...extra });

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(
  description: string,
  words: Words,
  extra: Extra = {},
): Type.TUnsafe<Words[number]> =>
  Type.Unsafe<Words[number]>({ type: 'string', enum: words, title: words.join(' or '), description, ...extra });

/** A whole number. */
export const whole = (description: string, minimum: number, maximum: number, extra: Extra = {}): Type.TInteger =>
  Type.Integer({ minimum, maximum, title: `a whole number from ${minimum} to ${maximum}`, description, ...extra });

export const flag = (description: string, extra: Extra = {}): Type.TBoolean =>
  Type.Boolean({ title: 'true or false', description, ...extra });

/** A map from any key. An API server cannot bound the keys' lengths; what they must be is said where they are used. */
export const mapOf = <Value extends Type.TSchema>(
  title: string,
  description: string,
  value: Value,
  extra: Extra & { readonly minProperties?: number; readonly maxProperties?: number } = {},
): Type.TRecord<'^.*$', Value> =>
  Type.Record(Type.String(), value, { maxProperties: 64, title, description, ...extra });

/** An object of Kubernetes' own that is too large to be repeated here: the API server checks it in the rendered pod. */
export const foreign = (description: string, extra: Extra = {}): Type.TRecord<'^.*$', Type.TUnknown> =>
  Type.Record(Type.String(), Type.Unknown(), { title: 'an object', description, ...OPEN, ...extra });
