import { findClusterAccess } from '../kube/cluster-access.ts';
import { createKubeApi, type KubeConnection } from '../kube/transport.ts';
import { systemTimers } from '../platform/clock.ts';
import type { ApiFlags } from './cluster-options.ts';

/** A client of the API server that the flags or the pod's surroundings name; nothing is sent yet. A text says what is wrong with them. */
export function connect({ apiServer, apiTokenFile: tokenFile, apiCaFile: caFile }: ApiFlags): KubeConnection | string {
  try {
    const access = findClusterAccess({ env: process.env, apiServer, tokenFile, caFile });
    return createKubeApi(access, { timers: systemTimers });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
