import { Option, type Command } from 'commander';
import { seconds } from '../domain/units.ts';
import type { EdgeLimits } from '../edge/limits.ts';
import { KEYS_FILE_OPTION, type AccessFlags } from './access-options.ts';
import { adminHost } from './admin-options.ts';
import { withClusterOptions, type ClusterFlags } from './cluster-options.ts';
import { HIGHEST_PORT, wholeNumber } from './flag-values.ts';
import { LIMIT_OPTIONS } from './limit-options.ts';
import { PROXY_OPTIONS, type ProxyFlags } from './proxy-options.ts';
import { shutdownDelay, type ShutdownFlags } from './shutdown-delay.ts';
import { SURFACE_OPTIONS, type SurfaceFlags } from './surface-options.ts';

/** What `corral edge` was told. */
export interface EdgeFlags extends AccessFlags, ClusterFlags, ShutdownFlags, SurfaceFlags, EdgeLimits, ProxyFlags {
  readonly port: number;
  /** Absent: that of the clients. */
  readonly adminHost?: string;
}

const PORT = new Option('--port <port>', "listen for clients' requests on this port; 0: any free one")
  .argParser(wholeNumber(HIGHEST_PORT))
  .default(8080);

/** Longer than it takes until every node knows that the pod is to get no more connections. */
const SHUTDOWN_DELAY = shutdownDelay(seconds(5), '5s');

const MORE = [
  adminHost('--host'),
  SHUTDOWN_DELAY,
  ...PROXY_OPTIONS,
  KEYS_FILE_OPTION,
  ...SURFACE_OPTIONS,
  ...LIMIT_OPTIONS,
];

/** Adds the options to a command. */
export const withEdgeOptions = (command: Command): Command =>
  MORE.reduce((built, option) => built.addOption(option), withClusterOptions(command.addOption(PORT)));
