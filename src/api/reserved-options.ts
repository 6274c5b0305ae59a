import { type ArgItem, MODEL_SOURCE_OPTIONS, findOption, isModelSource, longName } from './llama-options.ts';
import type { LlamaOption } from './parse-llama-help.ts';

/** Where an option was written. */
export type OptionSource = 'command line' | 'presets file' | 'manifest';

interface Reservation {
  readonly names: readonly string[];
  readonly reason: string;
  readonly fix?: string;
  /** Refused only when switched to this; without it always. */
  readonly when?: 'on' | 'off';
}

/** A refused option: why, and what to write instead. */
export interface Refused {
  readonly reason: string;
  readonly fix?: string;
}

const ADDRESS = 'Corral sets the address of each llama-server itself';
const EXITS = 'it makes llama-server print something and exit';
const PUBLIC = 'clients talk to Corral, never to a llama-server, so that it would have no effect or lock Corral out';
const ISOLATION = 'it lets a model reach files, programs or networks of the machine';
const ROUTER = 'it belongs to the router, and the router is Corral';
const UNSEEN = 'Corral could not see any more what the llama-server does';
const BUNDLE = 'it sets a model, a port and more at once';
const NAMED_BY_SOURCE: Refused = {
  reason: "a preset's model is named by its source",
  fix: 'Use the field source of the preset.',
};

/** Options that Corral sets, that break isolation, or that hide a llama-server from Corral. */
const RESERVATIONS: readonly Reservation[] = [
  { names: ['--host', '--port', '--api-prefix', '--reuse-port'], reason: ADDRESS },
  { names: ['--alias'], reason: 'Corral names each llama-server after its model', fix: 'Declare aliases instead.' },
  { names: ['--tags'], reason: 'tags are shown by Corral, not by llama-server', fix: 'Declare tags instead.' },
  { names: ['--api-key', '--api-key-file', '--ssl-key-file', '--ssl-cert-file'], reason: PUBLIC },
  { names: ['--path', '--ui-config', '--ui-config-file'], reason: PUBLIC },
  {
    names: ['--cors-origins', '--cors-methods', '--cors-headers', '--cors-credentials'],
    reason: PUBLIC,
    fix: 'Give it to corral serve or corral edge instead.',
  },
  { names: ['--models-dir', '--models-preset', '--models-max', '--models-autoload'], reason: ROUTER },
  { names: ['--tools', '--tools-runtime', '--mcp-servers-config', '--mcp-servers-json', '--rpc'], reason: ISOLATION },
  { names: ['--agent', '--ui-mcp-proxy'], reason: ISOLATION, when: 'on' },
  { names: ['--sleep-idle-seconds'], reason: 'Corral stops idle models itself', fix: 'Set an idle timeout instead.' },
  { names: ['--slots'], reason: UNSEEN, fix: 'Leave it out.', when: 'off' },
  { names: ['--log-file', '--log-disable'], reason: UNSEEN, fix: 'Corral keeps the last lines of each log.' },
  { names: ['--help', '--version', '--cache-list', '--completion-bash', '--list-devices'], reason: EXITS },
  {
    names: [
      ...['--embd-gemma-default', '--fim-qwen-1.5b-default', '--fim-qwen-3b-default', '--fim-qwen-7b-default'],
      ...['--fim-qwen-7b-spec', '--fim-qwen-14b-spec', '--fim-qwen-30b-default', '--gpt-oss-20b-default'],
      ...['--gpt-oss-120b-default', '--vision-gemma-4b-default', '--vision-gemma-12b-default'],
    ],
    reason: BUNDLE,
    fix: 'Name the model by its Hugging Face repository instead.',
  },
];

/** Throws for a name that llama-server does not know (any more): the table above would protect nothing. */
function knownOption(name: string): LlamaOption {
  const found = findOption(name);
  if (found === undefined) throw new Error(`reserved option ${name} is unknown to llama-server`);
  return found.option;
}

/** Reserved options by `longName`. */
const RESERVED: ReadonlyMap<string, Reservation> = new Map(
  RESERVATIONS.flatMap((reservation) =>
    reservation.names.map((name) => [longName(knownOption(name)), reservation] as const),
  ),
);

/** Options that are refused in manifests for one reason. */
export interface RefusedOptions extends Refused {
  /** Every spelling with two dashes, those that switch an option off among them. */
  readonly names: readonly string[];
  /** Their environment variables. */
  readonly variables: readonly string[];
}

const variablesOf = ({ env, negatives }: LlamaOption): string[] => {
  if (env === undefined) return [];
  return negatives.length === 0 ? [env] : [env, env.replace('LLAMA_ARG_', 'LLAMA_ARG_NO_')];
};

function spell(options: readonly LlamaOption[], when: Reservation['when']): Omit<RefusedOptions, 'reason'> {
  const names = options.flatMap((option) => [
    ...(when === 'off' ? [] : option.names),
    ...(when === 'on' ? [] : option.negatives),
  ]);
  return { names: names.filter((name) => name.startsWith('--')), variables: options.flatMap(variablesOf) };
}

/** All that a manifest must not set, whatever llama-server's version: what this one has removed is not among it. */
export function listRefusedOptions(): readonly RefusedOptions[] {
  const reserved = RESERVATIONS.map(({ names, reason, fix, when }) => ({
    ...spell(names.map(knownOption), when),
    reason,
    ...(fix === undefined ? {} : { fix }),
  }));
  return [...reserved, { ...spell(MODEL_SOURCE_OPTIONS, undefined), ...NAMED_BY_SOURCE }];
}

const removedOption = (option: LlamaOption): Refused | undefined =>
  option.removed === undefined
    ? undefined
    : { reason: 'llama-server has removed this option', fix: `${capitalise(option.removed)}.` };

const capitalise = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function refuseModelSource(source: OptionSource): Refused | undefined {
  switch (source) {
    case 'presets file':
      return undefined;
    case 'command line':
      return {
        reason: 'llama-server starts as a single-model server with it',
        fix: 'Use --models-dir or --models-preset.',
      };
    case 'manifest':
      return NAMED_BY_SOURCE;
  }
}

/** Why an option must not be written there; `undefined`: it may. */
export function findRefusal(item: ArgItem, source: OptionSource): Refused | undefined {
  const reservation = RESERVED.get(longName(item.option));
  const state = item.kind === 'flag' && !item.on ? 'off' : 'on';
  if (reservation !== undefined && (reservation.when === undefined || reservation.when === state)) return reservation;
  if (isModelSource(item.option)) return refuseModelSource(source);
  return removedOption(item.option);
}

/** Variables that no option has. llama-server takes itself for a router's child, or for Vertex AI's, when it finds one of them. */
export const TAKEN_VARIABLES: readonly (Refused & { readonly prefix: string })[] = [
  { prefix: 'LLAMA_SERVER_', reason: 'llama-server keeps this variable for its own router' },
  { prefix: 'AIP_', reason: 'llama-server keeps this variable for Vertex AI, whose port it would take' },
];

/** Why an environment variable must not reach a llama-server; `undefined`: it may. It reads most options from `LLAMA_ARG_…` too. */
export function findEnvRefusal(name: string): Refused | undefined {
  const taken = TAKEN_VARIABLES.find(({ prefix }) => name.startsWith(prefix));
  if (taken !== undefined) return { reason: taken.reason };
  const found = findOption(name);
  if (found?.by !== 'env') return undefined;
  const refused = isModelSource(found.option) ? refuseModelSource('manifest') : RESERVED.get(longName(found.option));
  return refused ?? removedOption(found.option);
}
