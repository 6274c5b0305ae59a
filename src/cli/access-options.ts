import { Option } from 'commander';
import { notEmpty } from './flag-values.ts';

/** Where the keys of clients are. */
export interface AccessFlags {
  readonly keysFile?: string;
  /** llama-server's own options; only `corral serve` has them. */
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: readonly string[];
}

const GROUP = 'Keys:';

/** Also in a cluster, where the file is part of a Secret. */
export const KEYS_FILE_OPTION: Option = new Option(
  '--keys-file <file>',
  'ask clients for keys, whose hashes and rights are in this file (YAML; see `corral key --help`)',
)
  .argParser(notEmpty)
  .helpGroup(GROUP);

/** Whatever is wrong with a key is told elsewhere: commander's messages repeat the value. */
const collectAsItIs = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** As llama-server has them, with its variables. */
export const LLAMA_KEY_OPTIONS: readonly Option[] = [
  new Option('--api-key <keys>', 'ask clients for one of these keys, separated by commas (may be repeated)')
    .env('LLAMA_API_KEY')
    .argParser(collectAsItIs)
    .default([], 'none')
    .helpGroup(GROUP),
  new Option('--api-key-file <file>', 'ask clients for one of the keys in this file, one a line (may be repeated)')
    .env('LLAMA_ARG_API_KEY_FILE')
    .argParser((text: string, before: readonly string[]) => [...before, notEmpty(text)])
    .default([], 'none')
    .helpGroup(GROUP),
];
