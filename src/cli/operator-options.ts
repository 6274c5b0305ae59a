import { Option, type Command } from 'commander';
import { withClusterOptions, type ClusterFlags } from './cluster-options.ts';
import { namespaceName } from './flag-values.ts';

/** What `corral operator` was told. */
export interface OperatorFlags extends ClusterFlags {
  readonly leaseNamespace: string;
}

const LEASE_NAMESPACE = new Option(
  '--lease-namespace <namespace>',
  'where the Lease is by which one of several operators leads',
)
  .env('POD_NAMESPACE')
  .argParser(namespaceName)
  .default('corral-system');

/** Adds the options to a command. */
export const withOperatorOptions = (command: Command): Command =>
  withClusterOptions(command).addOption(LEASE_NAMESPACE);
