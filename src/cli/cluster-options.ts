import { Option, type Command } from 'commander';
import type { LogLevel } from '../platform/log.ts';
import { adminPort } from './admin-options.ts';
import { LOG_LEVELS, notEmpty } from './flag-values.ts';

/** Where the API server is, if not where every pod is told that it is. */
export interface ApiFlags {
  readonly apiServer?: string;
  readonly apiTokenFile?: string;
  readonly apiCaFile?: string;
}

/** What every program of a cluster was told. */
export interface ClusterFlags extends ApiFlags {
  readonly host: string;
  readonly adminPort: number;
  readonly logLevel: LogLevel;
}

const CLUSTER_OPTIONS: readonly Option[] = [
  new Option('--host <address>', 'listen on this address').argParser(notEmpty).default('0.0.0.0'),
  adminPort().default(8081),
  new Option('--log-level <level>', 'how much to log').choices(LOG_LEVELS).default('info'),
  new Option(
    '--api-server <url>',
    "the API server, for instance http://127.0.0.1:8001 beside `kubectl proxy`; default: the pod's own cluster",
  ).argParser(notEmpty),
  new Option('--api-token-file <file>', 'send the token in this file to the API server').argParser(notEmpty),
  new Option('--api-ca-file <file>', "trust these certificate authorities (PEM) for the API server's name").argParser(
    notEmpty,
  ),
];

/** Adds the options to a command. */
export const withClusterOptions = (command: Command): Command =>
  CLUSTER_OPTIONS.reduce((built, option) => built.addOption(option), command);
