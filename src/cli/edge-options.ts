import { Option, type Command } from 'commander';
import { withClusterOptions, type ClusterFlags } from './cluster-options.ts';
import { HIGHEST_PORT, wholeNumber } from './flag-values.ts';

/** What `corral edge` was told. */
export interface EdgeFlags extends ClusterFlags {
  readonly port: number;
}

/** Adds the options to a command. */
export const withEdgeOptions = (command: Command): Command =>
  withClusterOptions(
    command.addOption(
      new Option('--port <port>', "listen for clients' requests on this port; 0: any free one")
        .argParser(wholeNumber(HIGHEST_PORT))
        .default(8080),
    ),
  );
