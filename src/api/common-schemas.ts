import Type from 'typebox';
import { MANIFEST_DURATION_LENGTH } from './duration-text.ts';
import { DURATION_RULES, PASSING_RULES } from './manifest-rules.ts';
import { type Extra, ATOMIC, SET, list, mapBy, mapOf, object, oneOf, text, whole } from './schema-kit.ts';

const DNS_LABEL = '^[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?$';
/** RFC 1123, as Kubernetes checks it. Its length is for `maxLength`. */
const DNS_SUBDOMAIN = '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9\\-]*[a-z0-9])?)*$';
const LABEL_VALUE = '^(([A-Za-z0-9][A-Za-z0-9_.\\-]*)?[A-Za-z0-9])?$';
/** Kubernetes' notation of a quantity, without a sign: `quantity.ts` reads it. */
const DIGITS = '[0-9]+';
const SUFFIX = '(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+\\-]?[0-9]{1,2})?';

const durationOf = (rules: Extra['rules'], description: string, extra: Extra): Type.TString =>
  text('a duration such as 15m, 1h30m or 0s', description, {
    maxLength: MANIFEST_DURATION_LENGTH,
    ...(rules === undefined ? {} : { rules }),
    ...extra,
  });

/** A duration in Go's notation, at most 480h. `0s` is one. */
export const duration = (description: string, extra: Extra = {}): Type.TString =>
  durationOf(DURATION_RULES, description, extra);

/** A duration that is longer than nothing. */
export const passing = (description: string, extra: Extra = {}): Type.TString =>
  durationOf(PASSING_RULES, description, extra);

export const dnsLabel = (title: string, description: string): Type.TString =>
  text(title, description, { pattern: DNS_LABEL, maxLength: 63 });

export const dnsName = (title: string, description: string, extra: Extra = {}): Type.TString =>
  text(title, description, { pattern: DNS_SUBDOMAIN, maxLength: 253, ...extra });

/** A text without NUL, which no process can be given. */
export const noNul = (title: string, description: string, maxLength: number): Type.TString =>
  Type.String({ maxLength, pattern: '^[^\\x00]*$', title, description });

/** A map of what may be the value of a label. */
export const labels = (description: string, extra: Extra = {}): Type.TRecord<'^.*$', Type.TString> =>
  mapOf(
    'a map of label values',
    description,
    Type.String({ maxLength: 63, pattern: LABEL_VALUE, title: 'a label value of at most 63 characters' }),
    extra,
  );

export const annotations = (description: string, extra: Extra = {}): Type.TRecord<'^.*$', Type.TString> =>
  mapOf('a map of texts', description, Type.String({ maxLength: 8192, title: 'a text' }), extra);

type QuantitySchema = Type.TUnsafe<string | number>;

const quantity = (title: string, minimum: number, pattern: string): QuantitySchema =>
  Type.Unsafe<string | number>({
    type: ['integer', 'string'],
    minimum,
    maximum: Number.MAX_SAFE_INTEGER,
    maxLength: 32,
    pattern,
    title,
    'x-kubernetes-int-or-string': true,
  });

const Quantity = quantity(
  'a whole number, or a quantity in quotes such as "500m" or 9Gi',
  0,
  `^${DIGITS}(\\.${DIGITS})?${SUFFIX}$`,
);
const PositiveQuantity = quantity(
  'a whole number above 0, or a quantity in quotes such as "500m" or 9Gi',
  1,
  // RE2, which API servers use, has no look-ahead: a digit that is not 0 stands before the point or after it.
  `^(0*[1-9][0-9]*(\\.${DIGITS})?|0+\\.0*[1-9][0-9]*)${SUFFIX}$`,
);

export const quantities = (description: string): Type.TRecord<'^.*$', QuantitySchema> =>
  mapOf('a map of quantities', description, Quantity, { maxProperties: 32 });

/** At least one. */
export const someQuantities = (description: string): Type.TRecord<'^.*$', QuantitySchema> =>
  mapOf('a map of at least one quantity', description, Quantity, { minProperties: 1, maxProperties: 32 });

/** At least one, and none of them is 0. */
export const somePositiveQuantities = (description: string): Type.TRecord<'^.*$', QuantitySchema> =>
  mapOf('a map of at least one quantity', description, PositiveQuantity, { minProperties: 1, maxProperties: 32 });

const KEY = '^[A-Za-z0-9._\\-]+$';
const objectName = (what: string): Type.TString =>
  dnsName(`the name of a ${what}`, `The ${what}, in the same namespace.`);
const objectKey = (what: string): Type.TString =>
  text(`a key of the ${what}`, `The key in the ${what}.`, { pattern: KEY, maxLength: 253 });

/** A key of a Secret that must exist. */
export const secretKey = (description: string): Type.TObject<{ name: Type.TString; key: Type.TString }> =>
  object(description, { name: objectName('Secret'), key: objectKey('Secret') }, ATOMIC);

/** A key of a Secret or ConfigMap that may be declared optional. */
export const optionalKey = (
  what: 'Secret' | 'ConfigMap',
): Type.TObject<{ name: Type.TString; key: Type.TString; optional: Type.TOptional<Type.TBoolean> }> =>
  object(
    `A key of a ${what}.`,
    {
      name: objectName(what),
      key: objectKey(what),
      optional: Type.Optional(Type.Boolean({ title: 'true or false', description: 'Whether it may be missing.' })),
    },
    ATOMIC,
  );

/** Which objects, by their labels. */
export const LabelSelector = object(
  'Which namespaces, by their labels: all requirements must hold.',
  {
    matchLabels: Type.Optional(labels('Labels that must be there with exactly these values.')),
    matchExpressions: Type.Optional(
      list(
        'Requirements on labels.',
        object('One requirement.', {
          key: text('the key of a label', "The label's key.", { maxLength: 317 }),
          operator: oneOf('How the label must relate to the values.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: Type.Optional(
            list(
              'For In and NotIn.',
              Type.String({ maxLength: 63, pattern: LABEL_VALUE, title: 'a label value', description: 'One value.' }),
              64,
              SET,
            ),
          ),
        }),
        16,
      ),
    ),
  },
  ATOMIC,
);

const time = (description: string): Type.TString =>
  Type.String({ format: 'date-time', title: 'a time such as 2026-01-31T12:00:00Z', description });

/** A point in time, RFC 3339. */
export const optionalTime = (description: string): Type.TOptional<Type.TString> => Type.Optional(time(description));

/** Kubernetes' `metav1.Condition`. */
export const Conditions = list(
  'What holds of this object, one entry for each type of condition.',
  object('One condition.', {
    type: text('the type of a condition', 'What it is about.', {
      maxLength: 316,
      pattern: '^[A-Za-z0-9]([A-Za-z0-9_.\\-/]*[A-Za-z0-9])?$',
    }),
    status: oneOf('Whether it holds.', ['True', 'False', 'Unknown']),
    observedGeneration: Type.Optional(
      whole('The generation of the object that it speaks of.', 0, Number.MAX_SAFE_INTEGER),
    ),
    lastTransitionTime: time('When the status last changed.'),
    reason: text('one word in CamelCase', 'Why, for programs.', {
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    }),
    message: Type.String({ maxLength: 32768, title: 'a text', description: 'Why, for people.' }),
  }),
  16,
  mapBy('type'),
);

export const observedGeneration = Type.Optional(
  whole('The generation of the object that this status speaks of.', 0, Number.MAX_SAFE_INTEGER),
);
