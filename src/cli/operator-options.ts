import { Option, type Command } from 'commander';
import type { LogLevel } from '../platform/log.ts';
import { withApiOptions, type ApiFlags } from './api-options.ts';
import { HIGHEST_PORT, LOG_LEVELS, notEmpty, wholeNumber } from './flag-values.ts';

/** What `corral operator` was told. */
export interface OperatorFlags extends ApiFlags {
  readonly host: string;
  readonly probePort: number;
  readonly logLevel: LogLevel;
}

const OPERATOR_OPTIONS: readonly Option[] = [
  new Option('--host <address>', 'answer /livez and /readyz on this address').argParser(notEmpty).default('0.0.0.0'),
  new Option('--probe-port <port>', 'answer /livez and /readyz on this port; 0: any free one')
    .argParser(wholeNumber(HIGHEST_PORT))
    .default(8081),
  new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
];

/** Adds the options to a command. */
export const withOperatorOptions = (command: Command): Command =>
  withApiOptions(OPERATOR_OPTIONS.reduce((built, option) => built.addOption(option), command));
