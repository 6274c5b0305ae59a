import { InvalidArgumentError, Option, type Command } from 'commander';
import { suggest } from '../api/nearest.ts';
import type { InputFormat } from '../simulator/files/load-scenario.ts';
import { FORMATS } from '../simulator/files/trace-format.ts';
import { POLICIES, type PolicyName } from '../simulator/outcome.ts';
import { notEmpty, wholeNumber } from './flag-values.ts';

/** What `corral simulate` was told. */
export interface SimulateFlags {
  readonly trace: string;
  readonly models: string;
  readonly format: InputFormat;
  /** None: all. */
  readonly policy: readonly PolicyName[];
  readonly spread?: number;
  readonly seed?: number;
  readonly report?: string;
  readonly json?: boolean;
}

const LARGEST_SEED = 0xffff_ffff;
const STEEPEST = 5;

function policy(text: string, before: readonly PolicyName[]): readonly PolicyName[] {
  const found = POLICIES.find((name) => name === text);
  if (found !== undefined) return before.includes(found) ? before : [...before, found];
  const { fix } = suggest(text, POLICIES);
  throw new InvalidArgumentError(`There are ${POLICIES.join(', ')}.${fix === undefined ? '' : ` ${fix}`}`);
}

function exponent(text: string): number {
  const value = Number(text);
  if (/^\d+(?:\.\d+)?$/u.test(text) && value <= STEEPEST) return value;
  throw new InvalidArgumentError(`It must be a number from 0 to ${STEEPEST}.`);
}

function reportFile(text: string): string {
  if (/\.(?:html|svg)$/u.test(text)) return text;
  throw new InvalidArgumentError('It must end in .html or .svg.');
}

const SIMULATE_OPTIONS: readonly Option[] = [
  new Option('--trace <file>', 'the requests: a CSV file, or a recipe (.yaml) from which they are made')
    .argParser(notEmpty)
    .makeOptionMandatory(),
  new Option('--models <file>', 'the table of models (.yaml): how they load, and what they compete for')
    .argParser(notEmpty)
    .makeOptionMandatory(),
  new Option('--format <form>', 'what the trace is; auto: by its name and its first line')
    .choices(['auto', ...FORMATS, 'recipe'])
    .default('auto'),
  new Option('--policy <name>', `one of ${POLICIES.join(', ')} (may be repeated)`)
    .argParser(policy)
    .default([], 'all of them'),
  new Option(
    '--spread <exponent>',
    "ask for models by Zipf's law with this exponent, whatever the trace says; 0: all alike",
  ).argParser(exponent),
  new Option('--seed <n>', 'with --spread: another one asks for other models (default: 1)').argParser(
    wholeNumber(LARGEST_SEED),
  ),
  new Option('--report <file>', 'also write a report, as .html or .svg').argParser(reportFile),
  new Option('--json', 'print JSON instead of the table; waits are in milliseconds'),
];

/** Adds the options to a command. */
export const withSimulateOptions = (command: Command): Command =>
  SIMULATE_OPTIONS.reduce((built, option) => built.addOption(option), command);
