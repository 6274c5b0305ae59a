import { Option, type Command } from 'commander';
import type { LogLevel } from '../platform/log.ts';
import { withApiOptions, type ApiFlags } from './api-options.ts';
import { HIGHEST_PORT, LOG_LEVELS, notEmpty, wholeNumber } from './flag-values.ts';

/** What `corral edge` was told. */
export interface EdgeFlags extends ApiFlags {
  readonly host: string;
  readonly port: number;
  readonly probePort: number;
  readonly logLevel: LogLevel;
}

const EDGE_OPTIONS: readonly Option[] = [
  new Option('--host <address>', 'listen on this address').argParser(notEmpty).default('0.0.0.0'),
  new Option('--port <port>', "listen for clients' requests on this port; 0: any free one")
    .argParser(wholeNumber(HIGHEST_PORT))
    .default(8080),
  new Option('--probe-port <port>', 'answer /livez and /readyz on this port; 0: any free one')
    .argParser(wholeNumber(HIGHEST_PORT))
    .default(8081),
  new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
];

/** Adds the options to a command. */
export const withEdgeOptions = (command: Command): Command =>
  withApiOptions(EDGE_OPTIONS.reduce((built, option) => built.addOption(option), command));
