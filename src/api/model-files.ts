import { type ArgItem, findOption, longName } from './llama-options.ts';
import type { LlamaOption } from './parse-llama-help.ts';

/** What a further file of a model is to llama-server: the option that gets its path, without its dashes. */
export const FILE_ARGS = ['mmproj', 'model-draft', 'lora'] as const;
export type FileArg = (typeof FILE_ARGS)[number];

/** A further file as llama-server is told of it. */
export type NamedFile =
  | { readonly arg: FileArg; readonly path: string }
  /** `user/repository:quant`, which llama-server downloads. */
  | { readonly arg: 'model-draft'; readonly repository: string };

function optionOf(name: string): LlamaOption {
  const found = findOption(name);
  if (found === undefined) throw new Error(`llama-server has no option ${name}`);
  return found.option;
}

const DRAFT_REPOSITORY = '--hf-repo-draft';

/** All options that name the same kind of file. */
const OPTIONS: Readonly<Record<FileArg, readonly LlamaOption[]>> = {
  mmproj: ['--mmproj', '--mmproj-url'].map(optionOf),
  'model-draft': ['--model-draft', DRAFT_REPOSITORY].map(optionOf),
  lora: ['--lora'].map(optionOf),
};

/** Every spelling with two dashes of the options that name such a file. */
export const spellingsOf = (arg: FileArg): readonly string[] =>
  OPTIONS[arg].flatMap(({ names }) => names).filter((name) => name.startsWith('--'));

/** The items that name no file of a kind that `files` names: what is inherited of it gives way. */
export const withoutFilesOf = (items: readonly ArgItem[], files: readonly { readonly arg: FileArg }[]): ArgItem[] => {
  const replaced = new Set(files.flatMap(({ arg }) => OPTIONS[arg].map(longName)));
  return items.filter(({ option }) => !replaced.has(longName(option)));
};

const ANSWERING: ReadonlySet<string> = new Set((['mmproj', 'lora'] as const).flatMap((arg) => OPTIONS[arg].map(longName))); // prettier-ignore

/** Whether a file of this kind is part of what the model answers. A draft model is not: it makes the same answer sooner. */
export const isPartOfAnswer = (arg: FileArg): boolean => arg !== 'model-draft';

/** The same of an option that names one. */
export const namesPartOfAnswer = (option: LlamaOption): boolean => ANSWERING.has(longName(option));

/** One field of the list that `--lora` takes (llama.cpp, common/arg.cpp, parse_csv_row). */
const csvField = (path: string): string => (/[",]/u.test(path) ? `"${path.replaceAll('"', '""')}"` : path);

/** The options that tell llama-server of its files. Adapters share one option: of several it will take the last. */
export function fileItems(files: readonly NamedFile[]): ArgItem[] {
  const adapters = files.flatMap((file) => (file.arg === 'lora' && 'path' in file ? [csvField(file.path)] : []));
  const others = files.filter(({ arg }) => arg !== 'lora');
  return [
    ...others.map((file) =>
      'path' in file ? valueItem(`--${file.arg}`, file.path) : valueItem(DRAFT_REPOSITORY, file.repository),
    ),
    ...(adapters.length === 0 ? [] : [valueItem('--lora', adapters.join(','))]),
  ];
}

/** As llama-server names a repository. */
export const repositoryName = ({
  repo,
  quant,
}: {
  readonly repo: string;
  readonly quant?: string | undefined;
}): string => (quant === undefined ? repo : `${repo}:${quant}`);

/** An option with its value. Throws for an option that llama-server does not know. */
export const valueItem = (name: string, value: string): ArgItem => ({
  kind: 'values',
  option: optionOf(name),
  values: [value],
});
