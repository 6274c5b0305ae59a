import { MANIFEST_DURATION, MAX_DURATION, formatDuration, parseDuration } from './duration-text.ts';
import { type FieldPath, readMember, walk } from './field-path.ts';
import { type Rule, celText, keysRule, objectRule, textRule } from './manifest-rule.ts';
import { FILE_ARGS, spellingsOf } from './model-files.ts';
import { TAKEN_VARIABLES, listRefusedOptions } from './reserved-options.ts';

const LONGEST = formatDuration(MAX_DURATION);
const FORM = new RegExp(MANIFEST_DURATION, 'u');
const isForm = `self.matches(r'${MANIFEST_DURATION}')`;

/** Of every duration. The later rules leave a text that is no duration at all to the first one. */
export const DURATION_RULES: readonly Rule[] = [
  textRule({ cel: isForm, message: 'must be a duration such as 15m, 1h30m or 0s' }, (value) => FORM.test(value)),
  textRule(
    { cel: `!${isForm} || duration(self) <= duration('${LONGEST}')`, message: `must not be longer than ${LONGEST}` },
    (value) => !FORM.test(value) || parseDuration(value) !== undefined,
  ),
];

/** Of durations that must pass. */
export const PASSING_RULES: readonly Rule[] = [
  ...DURATION_RULES,
  textRule(
    { cel: `!${isForm} || duration(self) > duration('0s')`, message: 'must be longer than 0s' },
    (value) => parseDuration(value) !== 0,
  ),
];

const nameOf = (arg: string): string => arg.split('=', 1).join('');

/** One item of `args`: options that are Corral's to set, or that no model may have. One rule for each reason. */
export const ARG_RULES: readonly Rule[] = listRefusedOptions().map(({ names, reason, fix }) => {
  // Not with a regular expression, nor with split: their estimated cost grows with the longest text that is allowed.
  const isOne = names.map((name) => `self == ${celText(name)} || self.startsWith(${celText(`${name}=`)})`);
  const rule = textRule(
    { cel: `!(${isOne.join(' || ')})`, message: reason, fix },
    (arg) => !names.includes(nameOf(arg)),
  );
  return { ...rule, name: (arg) => nameOf(String(arg)) };
});

/** Names of environment variables that do what a refused option does, or that are taken. */
export const VARIABLE_RULES: readonly Rule[] = [
  ...TAKEN_VARIABLES.map(({ prefix, reason }) =>
    textRule({ cel: `!self.startsWith(${celText(prefix)})`, message: reason }, (name) => !name.startsWith(prefix)),
  ),
  textRule(
    { cel: "self != 'POD_IP'", message: "Corral sets this variable to the pod's address" },
    (name) => name !== 'POD_IP',
  ),
  ...listRefusedOptions()
    .filter(({ variables }) => variables.length > 0)
    .map(({ variables, reason, fix }) =>
      textRule(
        { cel: `!(self in [${variables.map(celText).join(', ')}])`, message: reason, fix },
        (name) => !variables.includes(name),
      ),
    ),
];

/** Exactly one of these members is there. */
export const exactlyOne = (members: readonly string[]): Rule =>
  objectRule(
    {
      cel: `[${members.map((member) => `has(self.${member})`).join(', ')}].filter(given, given).size() == 1`,
      message: `must have exactly one of ${members.slice(0, -1).join(', ')} and ${members.slice(-1).join('')}`,
    },
    (read) => members.filter((member) => read(member) !== undefined).length === 1,
  );

/** `member` is there if and only if `word` is chosen. */
export const onlyWith = (member: string, chooser: string, word: string): Rule =>
  objectRule(
    {
      cel: `has(self.${member}) == (has(self.${chooser}) && self.${chooser} == ${celText(word)})`,
      message: `${member} goes with ${chooser}: ${word}, and only with it`,
    },
    (read) => (read(member) !== undefined) === (read(chooser) === word),
  );

/** In one layer; what several layers come to is not known at admission. */
export const MIN_BELOW_MAX: Rule = objectRule(
  {
    cel: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
    message: 'minReplicas must not be above maxReplicas',
    member: 'minReplicas',
  },
  (read) => {
    const [least, most] = [read('minReplicas'), read('maxReplicas')];
    return typeof least !== 'number' || typeof most !== 'number' || least <= most;
  },
);

/** A path that stays within its volume. */
export const WITHIN_VOLUME: Rule = textRule(
  {
    cel: "!self.startsWith('/') && !self.split('/').exists(part, part == '..')",
    message: "must be a path within the volume: without '/' at its beginning and without '..'",
  },
  (path) => !path.startsWith('/') && !path.split('/').includes('..'),
);

/** Of one further file: what llama-server downloads by itself, it downloads for the model and a draft model only. */
export const FILE_RULES: readonly Rule[] = [
  objectRule(
    {
      cel: "self.arg == 'model-draft' || !has(self.source.huggingFace)",
      message: 'of further files, llama-server downloads only a model-draft from a repository',
      fix: 'Leave mmproj out, which it finds in the repository of the model itself, or give the file by another source.',
      member: 'source',
    },
    (read) => read('arg') === 'model-draft' || readMember(read('source'), 'huggingFace') === undefined,
  ),
  objectRule(
    {
      cel: '!has(self.source.huggingFace) || !has(self.source.huggingFace.tokenSecretRef)',
      message: 'a file has no token of its own, since llama-server takes one for everything',
      fix: "Leave tokenSecretRef out: that of the model's source counts, or HF_TOKEN in env.",
      member: 'source',
    },
    (read) => readMember(readMember(read('source'), 'huggingFace'), 'tokenSecretRef') === undefined,
  ),
];

/** Of the list of them. */
export const FILES_RULES: readonly Rule[] = (['mmproj', 'model-draft'] as const).map((arg) => ({
  cel: `self.filter(file, file.arg == ${celText(arg)}).size() <= 1`,
  message: `there is more than one ${arg}, and llama-server takes one`,
  findFault: (value) => {
    const all = Array.isArray(value) ? value.map((file: unknown) => readMember(file, 'arg')) : [];
    const second = all.indexOf(arg, all.indexOf(arg) + 1);
    return all.includes(arg) && second > 0 ? [second, 'arg'] : undefined;
  },
}));

/** Of a preset: what `files` names is not named by an option, too. */
export const NAMED_ONCE: readonly Rule[] = FILE_ARGS.map((arg) => {
  const names = spellingsOf(arg);
  const isOne = names.map((name) => `item == ${celText(name)} || item.startsWith(${celText(`${name}=`)})`);
  return objectRule(
    {
      cel: `!has(self.files) || !has(self.args) || !self.files.exists(file, file.arg == ${celText(arg)}) || !self.args.exists(item, ${isOne.join(' || ')})`,
      message: `files names the ${arg} already`,
      fix: 'Remove the option from args.',
      member: 'args',
    },
    (read) =>
      !membersOf(read('files')).some((file) => readMember(file, 'arg') === arg) ||
      !membersOf(read('args')).some((item) => typeof item === 'string' && names.includes(nameOf(item))),
  );
});

const membersOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Labels and annotations that Corral gives its pods. */
const OWN_PREFIX = 'corral.dev/';
const OWN_KEYS = ['app.kubernetes.io/name', 'app.kubernetes.io/managed-by'];

/** Of the keys of a pod's labels and annotations. */
export const POD_KEY_RULES: readonly Rule[] = [
  keysRule(
    {
      cel: `self.all(key, !key.startsWith(${celText(OWN_PREFIX)}))`,
      message: `keys that begin with ${OWN_PREFIX} are Corral's own`,
    },
    (key) => !key.startsWith(OWN_PREFIX),
  ),
  keysRule(
    {
      cel: `self.all(key, !(key in [${OWN_KEYS.map(celText).join(', ')}]))`,
      message: `${OWN_KEYS.join(' and ')} are set by Corral`,
    },
    (key) => !OWN_KEYS.includes(key),
  ),
];

/** What every API server asks of labels and annotations by itself, so that it is not said in CEL. */
const BY_ITSELF = 'true';
const QUALIFIED =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\/)?(?=.{1,63}$)[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/u;

/** Of an object's own labels. */
export const LABEL_KEY_RULE: Rule = keysRule(
  {
    cel: BY_ITSELF,
    message: 'each key must be a name of at most 63 characters, with or without a DNS name and a slash before it',
  },
  (key) => QUALIFIED.test(key),
);

/** Of an object's own annotations, whose keys may have capitals everywhere. */
export const ANNOTATION_KEY_RULE: Rule = keysRule({ cel: BY_ITSELF, message: LABEL_KEY_RULE.message }, (key) =>
  QUALIFIED.test(key.toLowerCase()),
);

/** A name is a model's, an alias or a variant's of one preset of the object. Whether another object has it is a condition, not a fault. */
const celModel = (preset: string): string => `(has(${preset}.model) ? ${preset}.model : ${preset}.name)`;

interface Names {
  readonly index: number;
  readonly model: unknown;
  readonly aliases: readonly unknown[];
  readonly variants: readonly unknown[];
}

function namesOf(presets: unknown): Names[] {
  if (!Array.isArray(presets)) return [];
  return presets.map((preset: unknown, index) => {
    const [model, aliases, variants] = ['model', 'aliases', 'variants'].map((member) => readMember(preset, member));
    return {
      index,
      model: model === undefined ? readMember(preset, 'name') : model,
      aliases: Array.isArray(aliases) ? aliases : [],
      variants: Array.isArray(variants) ? variants.map((variant: unknown) => readMember(variant, 'model')) : [],
    };
  });
}

export const UNIQUE_NAME_RULES: readonly Rule[] = [
  {
    cel: `self.all(one, self.exists_one(other, ${celModel('other')} == ${celModel('one')}))`,
    message: 'another preset of this object has this model name already',
    fix: 'A name may stand for one model only: rename one.',
    findFault: (value: unknown): FieldPath | undefined => {
      const presets = namesOf(value);
      const fault = presets.find(({ index, model }) =>
        presets.some((other) => other.index < index && other.model === model),
      );
      if (fault === undefined) return undefined;
      return [
        fault.index,
        readMember(readMember(value, String(fault.index)), 'model') === undefined ? 'name' : 'model',
      ];
    },
  },
  {
    cel: `self.all(one, !has(one.aliases) || self.all(other, other.name == one.name || !(${celModel('other')} in one.aliases)))`,
    message: 'an alias is the model name of another preset of this object',
    fix: 'A name may stand for one model only: rename one.',
    findFault: (value) => findAlias(value, (alias, other) => other.model === alias),
  },
  {
    cel: 'self.all(one, !has(one.aliases) || one.aliases.all(alias, self.exists_one(other, has(other.aliases) && alias in other.aliases)))',
    message: 'another preset of this object has this alias already',
    fix: 'A name may stand for one model only: rename one.',
    findFault: (value) =>
      findAlias(value, (alias, other, index) => other.index < index && other.aliases.includes(alias)),
  },
  {
    cel: `self.all(one, !has(one.variants) || one.variants.all(variant, self.all(other, variant.model != ${celModel('other')} && (!has(other.aliases) || !(variant.model in other.aliases)))))`,
    message: 'a variant has a name that a preset of this object has already',
    fix: 'A name may stand for one model only: rename one.',
    findFault: (value) =>
      findVariant(value, (variant, other) => other.model === variant || other.aliases.includes(variant)),
  },
  {
    cel: 'self.all(one, !has(one.variants) || one.variants.all(variant, self.exists_one(other, has(other.variants) && variant.model in other.variants.map(each, each.model))))',
    message: 'another preset of this object has a variant of this name already',
    fix: 'A name may stand for one model only: rename one.',
    findFault: (value) =>
      findVariant(value, (variant, other, index) => other.index < index && other.variants.includes(variant)),
  },
];

function findAlias(
  value: unknown,
  isTaken: (alias: unknown, other: Names, index: number) => boolean,
): FieldPath | undefined {
  const presets = namesOf(value);
  for (const { index, aliases } of presets) {
    const others = presets.filter((other) => other.index !== index);
    const at = aliases.findIndex((alias) => others.some((other) => isTaken(alias, other, index)));
    if (at !== -1) return [index, 'aliases', at];
  }
  return undefined;
}

function findVariant(
  value: unknown,
  isTaken: (variant: unknown, other: Names, index: number) => boolean,
): FieldPath | undefined {
  const presets = namesOf(value);
  for (const { index, variants } of presets) {
    const at = variants.findIndex((variant) => presets.some((other) => isTaken(variant, other, index)));
    if (at !== -1) return [index, 'variants', at, 'model'];
  }
  return undefined;
}

/** Of a field that a variant does not fix: the model is the preset's, and how the answer comes the client has to know. */
export const NOT_FIXED: Rule = {
  cel: 'false',
  message: 'a variant cannot fix this field',
  fix: 'Leave it to the request.',
  findFault: () => [],
};

/** Of the fields that a variant fixes. YAML has numbers that JSON has not: no API server ever sees them. */
export const FINITE_NUMBERS: Rule = { cel: BY_ITSELF, message: 'every number must be finite', findFault: findInfinite };

/** The first number that JSON cannot say, but YAML can. */
function findInfinite(value: unknown): FieldPath | undefined {
  const found = [...walk(value)].find((one) => typeof one.value === 'number' && !Number.isFinite(one.value));
  return found?.path;
}

/** A field that never changes once the object exists: true of any manifest, which knows no former object. */
export const IMMUTABLE: Rule = {
  cel: 'self == oldSelf',
  message: 'the field is immutable',
  fix: 'Delete the object and create it anew.',
  findFault: () => undefined,
};
