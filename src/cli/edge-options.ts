import { Option, type Command } from 'commander';
import type { EdgeLimits } from '../edge/limits.ts';
import { KEYS_FILE_OPTION, type AccessFlags } from './access-options.ts';
import { withClusterOptions, type ClusterFlags } from './cluster-options.ts';
import { HIGHEST_PORT, wholeNumber } from './flag-values.ts';
import { LIMIT_OPTIONS } from './limit-options.ts';
import { PROXY_OPTIONS, type ProxyFlags } from './proxy-options.ts';

/** What `corral edge` was told. */
export interface EdgeFlags extends AccessFlags, ClusterFlags, EdgeLimits, ProxyFlags {
  readonly port: number;
}

const PORT = new Option('--port <port>', "listen for clients' requests on this port; 0: any free one")
  .argParser(wholeNumber(HIGHEST_PORT))
  .default(8080);

/** Adds the options to a command. */
export const withEdgeOptions = (command: Command): Command =>
  [...PROXY_OPTIONS, KEYS_FILE_OPTION, ...LIMIT_OPTIONS].reduce(
    (built, option) => built.addOption(option),
    withClusterOptions(command.addOption(PORT)),
  );
