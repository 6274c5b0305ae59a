import { type ArgItem, type FoundOption, OPTION_NAMES, findOption, longName } from './llama-options.ts';
import type { Problem } from './problem.ts';
import { type OptionSource, findRefusal } from './reserved-options.ts';
import { UNKNOWN, fixUnknown } from './unknown-option.ts';

/** One of Corral's own options, which is left for its own parser, also where llama-server has one of the same name. */
export interface OwnOption {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly values: 0 | 1;
}

export interface ParsedArgv {
  /** For llama-server, in their order. */
  readonly options: readonly ArgItem[];
  /** For Corral's own parser, in their order. */
  readonly rest: readonly string[];
  readonly problems: readonly Problem[];
}

/** What one token turned out to be, and how many tokens it took. */
interface Step {
  readonly taken: number;
  readonly item?: ArgItem;
  readonly rest?: readonly string[];
  readonly problem?: Omit<Problem, 'file'>;
}

const FILE = 'command line';
const SOURCE: OptionSource = 'command line';

interface Split {
  readonly name: string;
  /** What stands after the first `=` of a long option. */
  readonly attached: string | undefined;
}

function splitToken(token: string): Split {
  const at = token.startsWith('--') ? token.indexOf('=') : -1;
  return at === -1 ? { name: token, attached: undefined } : { name: token.slice(0, at), attached: token.slice(at + 1) };
}

/** A known option where a value should stand is a forgotten value. A negative number is none. */
const looksLikeOption = (token: string): boolean => token.startsWith('-') && findOption(token)?.by === 'name';

function stepFlag(name: string, found: FoundOption, attached: string | undefined): Step {
  if (attached !== undefined) {
    const opposites = found.negated ? [longName(found.option)] : found.option.negatives;
    const fix = `Write ${[name, ...opposites].join(' or ')}.`;
    return { taken: 1, problem: { field: name, reason: 'this option takes no value', fix } };
  }
  return { taken: 1, item: { kind: 'flag', option: found.option, on: !found.negated } };
}

function stepValues(split: Split, found: FoundOption, following: readonly string[]): Step {
  const { option } = found;
  const attached = split.attached === undefined ? [] : [split.attached];
  const candidates = following.slice(0, option.values - attached.length);
  const missing = candidates.length + attached.length < option.values || candidates.some(looksLikeOption);
  if (!missing) {
    return { taken: 1 + candidates.length, item: { kind: 'values', option, values: [...attached, ...candidates] } };
  }
  const wanted = option.values === 1 ? 'a value' : `${option.values} values`;
  // Behind a short name no `=` is read: it would be a part of the name.
  const fix = `Write ${split.name} VALUE${option.values === 1 ? `, or ${longName(option)}=VALUE for a value that begins with a dash` : ' VALUE'}.`;
  return { taken: 1, problem: { field: split.name, reason: `this option needs ${wanted}`, fix } };
}

function stepLlama(split: Split, found: FoundOption, following: readonly string[]): Step {
  const step =
    found.option.values === 0 ? stepFlag(split.name, found, split.attached) : stepValues(split, found, following);
  const refused = step.item === undefined ? undefined : findRefusal(step.item, SOURCE);
  return refused === undefined
    ? step
    : { taken: step.taken, problem: { field: split.name, reason: refused.reason, ...fixOf(refused) } };
}

const fixOf = (refused: { readonly fix?: string }): { readonly fix?: string } =>
  refused.fix === undefined ? {} : { fix: refused.fix };

function stepOwn(tokens: readonly string[], own: OwnOption, split: Split): Step {
  const taken = own.values === 1 && split.attached === undefined ? Math.min(2, tokens.length) : 1;
  return { taken, rest: tokens.slice(0, taken) };
}

/** What the first of `tokens` is. */
function step(tokens: readonly string[], own: ReadonlyMap<string, OwnOption>): Step {
  const [token = '', ...following] = tokens;
  if (token === '--') return { taken: tokens.length, rest: tokens };
  if (!token.startsWith('-') || token === '-') return { taken: 1, rest: [token] };
  const split = splitToken(token);
  const mine = own.get(split.name);
  if (mine !== undefined) return stepOwn(tokens, mine, split);
  const found = findOption(split.name);
  if (found !== undefined) return stepLlama(split, found, following);
  const fix = fixUnknown(split.name, [...own.keys(), ...OPTION_NAMES], "Corral's environment");
  return { taken: 1, problem: { field: split.name, reason: UNKNOWN, fix } };
}

/**
 * Splits a command line into llama-server's options and the rest. Takes `--name value`, `--name=value` and short options as
 * llama-server spells them (`-ngl 99`); everything after `--` is rest. Values are taken as they are, also negative numbers.
 */
export function parseArgv(tokens: readonly string[], own: readonly OwnOption[]): ParsedArgv {
  const ownByName = new Map(own.flatMap((option) => option.names.map((name) => [name, option] as const)));
  const steps: Step[] = [];
  for (let at = 0; at < tokens.length;) {
    const next = step(tokens.slice(at), ownByName);
    steps.push(next);
    at += next.taken;
  }
  return {
    options: steps.flatMap(({ item }) => (item === undefined ? [] : [item])),
    rest: steps.flatMap(({ rest }) => rest ?? []),
    problems: steps.flatMap(({ problem }) => (problem === undefined ? [] : [{ file: FILE, ...problem }])),
  };
}
