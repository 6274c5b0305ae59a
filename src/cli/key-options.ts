import { InvalidArgumentError, Option, type Command } from 'commander';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { KeySchema } from '../api/key-schema.ts';
import { KEY_OPERATIONS, type KeyOperation } from '../domain/api-key.ts';
import { wholeNumber } from './flag-values.ts';

/** What `corral key` was told: fields of the entry that it writes. */
export interface KeyFlags {
  readonly id: string;
  readonly models?: readonly string[];
  readonly operations?: readonly KeyOperation[];
  readonly maxInFlight?: number;
}

const { id, models } = KeySchema.properties;

/** As the field of the file is checked; what it throws becomes commander's message. */
function checked(schema: TSchema & { readonly title?: string }, value: unknown): void {
  if (!Value.Check(schema, value)) throw new InvalidArgumentError(`It must be ${String(schema.title)}.`);
}

function idOf(text: string): string {
  checked(id, text);
  return text;
}

function patternsOf(text: string): readonly string[] {
  const patterns = text.split(',');
  for (const pattern of patterns) checked(models.items, pattern);
  return [...new Set(patterns)];
}

function operationsOf(text: string): readonly KeyOperation[] {
  const words = new Set(text.split(','));
  const known = KEY_OPERATIONS.filter((operation) => words.has(operation));
  if (known.length === words.size) return known;
  throw new InvalidArgumentError(`It must be ${KEY_OPERATIONS.join(' or ')}, or both with a comma between.`);
}

const KEY_OPTIONS: readonly Option[] = [
  new Option('--id <name>', 'what logs and metrics call the client').argParser(idOf).makeOptionMandatory(),
  new Option(
    '--models <patterns>',
    "the models that it may use, separated by commas, such as 'qwen*,embedding' (default: all)",
  ).argParser(patternsOf),
  new Option(
    '--operations <words>',
    `what it may do: ${KEY_OPERATIONS.join(', ')}, or both with a comma between (default: infer)`,
  ).argParser(operationsOf),
  new Option('--max-in-flight <n>', 'requests that it may have under way at once (default: no limit)').argParser(
    wholeNumber(1_000_000, 1),
  ),
];

/** Adds the options to a command. */
export const withKeyOptions = (command: Command): Command =>
  KEY_OPTIONS.reduce((built, option) => built.addOption(option), command);
