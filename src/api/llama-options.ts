import { LLAMA_OPTIONS } from './llama-options.generated.ts';
import type { LlamaOption } from './parse-llama-help.ts';

/** Options that only other builds of llama-server have, known so that they can be refused by name (llama.cpp, common/arg.cpp). */
const OTHER_BUILDS: readonly LlamaOption[] = [
  { names: ['--rpc'], negatives: [], env: 'LLAMA_ARG_RPC', values: 1, removed: undefined },
];

/** An option under one of its spellings. */
export interface FoundOption {
  readonly option: LlamaOption;
  /** The spelling switches it off. */
  readonly negated: boolean;
  readonly by: 'name' | 'env';
}

/** One option with what it is set to. */
export type ArgItem =
  | { readonly kind: 'flag'; readonly option: LlamaOption; readonly on: boolean }
  /** As many values as the option takes: one or two. */
  | { readonly kind: 'values'; readonly option: LlamaOption; readonly values: readonly string[] };

const withoutDashes = (name: string): string => name.replace(/^-+/u, '');

function* spellings(option: LlamaOption): Generator<readonly [string, FoundOption]> {
  for (const [names, negated] of [[option.names, false] as const, [option.negatives, true] as const]) {
    for (const name of names) {
      yield [name, { option, negated, by: 'name' }];
      yield [withoutDashes(name), { option, negated, by: 'name' }];
    }
  }
  if (option.env === undefined) return;
  yield [option.env, { option, negated: false, by: 'env' }];
  if (option.negatives.length === 0) return;
  yield [option.env.replace('LLAMA_ARG_', 'LLAMA_ARG_NO_'), { option, negated: true, by: 'env' }];
}

const BY_SPELLING: ReadonlyMap<string, FoundOption> = new Map(
  [...LLAMA_OPTIONS, ...OTHER_BUILDS].flatMap((option) => [...spellings(option)]),
);

/** Every name of every option as it is written on a command line, for suggestions. */
export const OPTION_NAMES: readonly string[] = LLAMA_OPTIONS.flatMap((option) => [
  ...option.names,
  ...option.negatives,
]).filter((name) => name.startsWith('--'));

/** As `OPTION_NAMES`, without the dashes: keys of a presets file. */
export const OPTION_KEYS: readonly string[] = OPTION_NAMES.map(withoutDashes);

/**
 * Finds an option by any spelling: short, long (`_` counts as `-` in it, as in llama-server), one that switches it off, the
 * environment variable, and each of these without its dashes, as a presets file has them. Case matters.
 */
export const findOption = (spelling: string): FoundOption | undefined =>
  BY_SPELLING.get(spelling.startsWith('--') ? spelling.replaceAll('_', '-') : spelling);

/** The long spelling, for messages: the one that llama-server itself writes. */
export const longName = (option: LlamaOption): string => option.names.slice(-1).join('');

/** Options that say which model is loaded. */
const MODEL_SOURCES: ReadonlySet<string> = new Set([
  '--model',
  '--model-url',
  '--docker-repo',
  '--hf-repo',
  '--hf-file',
]);

/** Whether the item names a model. `--hf-file` alone names none. */
export const namesModel = (item: ArgItem): boolean =>
  MODEL_SOURCES.has(longName(item.option)) && longName(item.option) !== '--hf-file';

/** Whether the item takes part in naming the model. */
export const isModelSource = (option: LlamaOption): boolean => MODEL_SOURCES.has(longName(option));

/** The options that take part in naming the model. */
export const MODEL_SOURCE_OPTIONS: readonly LlamaOption[] = LLAMA_OPTIONS.filter(isModelSource);

/** The inherited items that a layer leaves in force. */
function keepInherited(inherited: readonly ArgItem[], layer: readonly ArgItem[]): ArgItem[] {
  const replaced = new Set(layer.map((item) => longName(item.option)));
  const renamed = layer.some(namesModel);
  return inherited.filter(({ option }) => !replaced.has(longName(option)) && !(renamed && isModelSource(option)));
}

/**
 * Merges layers of arguments, the lowest first. An item replaces inherited items of the same option under whatever spelling,
 * and one that names a model replaces an inherited model. Items of one layer stand beside each other, in their order.
 */
export const mergeArgs = (...layers: readonly (readonly ArgItem[])[]): ArgItem[] =>
  layers.reduce<ArgItem[]>((inherited, layer) => [...keepInherited(inherited, layer), ...layer], []);

function renderItem(item: ArgItem): readonly string[] {
  if (item.kind === 'values') return [longName(item.option), ...item.values];
  return item.on ? [longName(item.option)] : item.option.negatives.slice(-1);
}

/** The argv items for llama-server. A flag that is off and cannot be switched off is left out: off is what it is then. */
export const renderArgs = (items: readonly ArgItem[]): string[] => items.flatMap(renderItem);

/**
 * Splits the one text that a presets file or a manifest has for an option into its values: two values are two words.
 * `undefined`: they are not as many as the option takes.
 */
export function splitValues(option: LlamaOption, text: string): readonly string[] | undefined {
  if (option.values !== 2) return option.values === 1 ? [text] : undefined;
  const words = text.trim().split(/\s+/u);
  return words.length === 2 ? words : undefined;
}
