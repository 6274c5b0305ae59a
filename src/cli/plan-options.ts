import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { notEmpty } from './flag-values.ts';

/** What `corral plan` was told, beside the model. */
export interface PlanFlags {
  readonly url: string;
  readonly apiKey?: string;
  readonly json?: boolean;
}

/** `http://host:port`, with or without a path before Corral's own; what it throws becomes commander's message. */
function address(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/u.test(url.protocol) ||
    /[?#]/u.test(text) ||
    url.username !== '' ||
    url.password !== ''
  )
    throw new InvalidArgumentError('It must be http://HOST:PORT or https://HOST:PORT, without user, ? and #.');
  return url.href.replace(/\/+$/u, '');
}

/** Adds argument and options to a command. */
export const withPlanOptions = (command: Command): Command =>
  command
    .addArgument(new Argument('<model>', 'the name of a model, as clients use it, or an alias').argParser(notEmpty))
    .addOption(
      new Option('--url <url>', 'where `corral serve` listens, or the admin port of `corral operator`')
        .argParser(address)
        .default('http://127.0.0.1:8080'),
    )
    .addOption(
      // Not by a parser of ours: commander's messages repeat the value.
      new Option('--api-key <key>', 'the key to ask with, which must allow models:manage').env('CORRAL_API_KEY'),
    )
    .addOption(new Option('--json', 'print the answer as it comes, for programs'));
