import { type FieldPath, readMember } from './field-path.ts';

/**
 * What a schema's keywords cannot say about the value at its place, said twice: to an API server in the Common Expression
 * Language (CEL, `x-kubernetes-validations`), and to this program. `src/api/crd` and `check-object.ts` read the same entry.
 */
export interface Rule {
  /** True for a good value, which is `self`. Evaluated by an API server only where the value fits its schema. */
  readonly cel: string;
  /** What is wrong with a bad one, as a clause without a full stop at its end. */
  readonly message: string;
  /** What to write instead. */
  readonly fix?: string;
  /** The member that is at fault, below the value. */
  readonly member?: string;
  /** What to call the value in a message, where the value itself must not be repeated. */
  readonly name?: (value: unknown) => string;
  /** The same as `cel`: the place of the fault, below the value; `undefined`: none. Sees values of any type. */
  readonly findFault: (value: unknown) => FieldPath | undefined;
}

type Words = Pick<Rule, 'cel' | 'message'> & { readonly fix?: string | undefined; readonly member?: string };

function makeRule({ cel, message, fix, member }: Words, holds: (value: unknown) => boolean): Rule {
  const place = member === undefined ? [] : [member];
  return {
    cel,
    message,
    ...(fix === undefined ? {} : { fix }),
    ...(member === undefined ? {} : { member }),
    findFault: (value) => (holds(value) ? undefined : place),
  };
}

/** A rule about a text. A value of another type is the schema's to refuse. */
export const textRule = (words: Words, holds: (text: string) => boolean): Rule =>
  makeRule(words, (value) => typeof value !== 'string' || holds(value));

/** Reads a member; `undefined`: there is none. */
export type Read = (member: string) => unknown;

/** A rule about the members of an object. */
export const objectRule = (words: Words, holds: (read: Read) => boolean): Rule =>
  makeRule(words, (value) => typeof value !== 'object' || value === null || holds((key) => readMember(value, key)));

/** A rule about the keys of a map. */
export const keysRule = (words: Words, holds: (key: string) => boolean): Rule =>
  makeRule(words, (value) => typeof value !== 'object' || value === null || Object.keys(value).every(holds));

const isRule = (value: unknown): value is Rule =>
  typeof readMember(value, 'cel') === 'string' && typeof readMember(value, 'findFault') === 'function';

/** The rules that a schema carries in its own keyword `rules`. */
export function rulesOf(schema: unknown): readonly Rule[] {
  const rules = readMember(schema, 'rules');
  return Array.isArray(rules) ? rules.filter(isRule) : [];
}

/** A text as CEL writes it, without any escapes: so none may be needed. */
export function celText(text: string): string {
  if (/['\\\n]/u.test(text)) throw new Error(`not a plain text: ${text}`);
  return `'${text}'`;
}
