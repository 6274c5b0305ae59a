import type { Server } from 'node:http';
import { createAdminServer } from '../admin/admin-server.ts';
import type { EdgeContext } from '../edge/visit.ts';
import { monotonicNow } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { EdgeMetrics } from '../platform/metrics/edge-metrics.ts';
import type { AdminFlags } from './admin-options.ts';
import { edgeAnswers } from './edge-answers.ts';
import { edgeSight } from './edge-observers.ts';
import { listen, urlOf } from './listen.ts';
import type { SurfaceFlags } from './surface-options.ts';
import { readVersion } from './version.ts';

const LOOPBACK = '127.0.0.1';

/** What a `corral serve` is asked by its administrator. */
export interface ServeAdmin {
  readonly metrics: EdgeMetrics;
  readonly server: Server;
}

export interface ServeAdminParts {
  readonly seen: Pick<EdgeContext, 'board' | 'ledger'>;
  readonly whyNotReady: () => string | undefined;
  readonly log: Log;
}

/** Does not listen yet. `undefined`: nobody can ask, so nothing is counted either, and what counts is not even loaded. */
export async function createServeAdmin(
  { adminPort, openEndpoint }: AdminFlags & Pick<SurfaceFlags, 'openEndpoint'>,
  { seen, whyNotReady, log }: ServeAdminParts,
): Promise<ServeAdmin | undefined> {
  if (adminPort === undefined) return undefined;
  const { EdgeMetrics } = await import('../platform/metrics/edge-metrics.ts');
  const { createRegistry } = await import('../platform/metrics/process-metrics.ts');
  const registry = createRegistry(readVersion());
  const answers = edgeAnswers(registry, openEndpoint, log);
  return {
    metrics: new EdgeMetrics(registry, edgeSight(seen, monotonicNow)),
    server: createAdminServer({ whyNotReady, answers }),
  };
}

/** Resolves when it listens where the flags say, or with one sentence that says why it cannot. */
export async function listenForAdmin(
  admin: ServeAdmin | undefined,
  { adminHost: host = LOOPBACK, adminPort: port }: AdminFlags,
  log: Log,
): Promise<string | undefined> {
  if (admin === undefined || port === undefined) return undefined;
  const { server } = admin;
  const failure = await listen(server, { host, port, flags: '--admin-host and --admin-port' });
  if (failure === undefined) log.info('answering probes and scrapes', { url: urlOf(server) });
  return failure;
}
