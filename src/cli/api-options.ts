import { Option, type Command } from 'commander';
import { notEmpty } from './flag-values.ts';

/** Where the API server is, if not where every pod is told that it is. */
export interface ApiFlags {
  readonly apiServer?: string;
  readonly apiTokenFile?: string;
  readonly apiCaFile?: string;
}

const API_OPTIONS: readonly Option[] = [
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
export const withApiOptions = (command: Command): Command =>
  API_OPTIONS.reduce((built, option) => built.addOption(option), command);
