import { findClusterAccess } from '../kube/cluster-access.ts';
import { createKubeApi, type KubeConnection, type TransportOptions } from '../kube/transport.ts';
import { systemTimers } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ApiFlags } from './cluster-options.ts';

/** How a connection is to be other than all are. */
export type Connection = Omit<TransportOptions, 'timers' | 'log'>;

/** A client of the API server that the flags or the pod's surroundings name; nothing is sent yet. A text says what is wrong with them. */
export function connect(flags: ApiFlags, log: Log): KubeConnection | string {
  return orProblem(() => connectWith(flags, log, {}));
}

/** The same, with which one or more connections can be made; it throws nothing. */
export function connectAll<T>(
  flags: ApiFlags,
  log: Log,
  use: (connect: (how: Connection) => KubeConnection) => T,
): T | string {
  return orProblem(() => use((how) => connectWith(flags, log, how)));
}

function connectWith(
  { apiServer, apiTokenFile: tokenFile, apiCaFile: caFile }: ApiFlags,
  log: Log,
  how: Connection,
): KubeConnection {
  const access = findClusterAccess({ env: process.env, apiServer, tokenFile, caFile });
  return createKubeApi(access, { timers: systemTimers, log, ...how });
}

function orProblem<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
