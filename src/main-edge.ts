import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { closeAdminServer, createAdminServer } from './admin/admin-server.ts';
import { viewPod } from './api/cluster/pod-view.ts';
import { createPresetReader } from './api/cluster/routed-presets.ts';
import { edgeAnswers } from './cli/edge-answers.ts';
import { edgeObservers, edgeSight } from './cli/edge-observers.ts';
import type { EdgeFlags } from './cli/edge-options.ts';
import { connect } from './cli/connect.ts';
import { followKeys, openKeys, ringOf, warnOfOpenDoor, type KeysInForce } from './cli/key-source.ts';
import { limitsOf, limitsProblem } from './cli/limit-options.ts';
import { proxiesOf } from './cli/proxy-options.ts';
import { listen, urlOf } from './cli/listen.ts';
import { surfaceOf } from './cli/surface-options.ts';
import { untilTold } from './cli/until-told.ts';
import { readVersion } from './cli/version.ts';
import { ClusterEdge } from './cluster-edge/cluster-edge.ts';
import { readIdentity, type EdgeIdentity } from './cluster-edge/edge-identity.ts';
import type { KubeConnection } from './kube/transport.ts';
import { systemTimers as timers } from './platform/clock.ts';
import { createLog, type Log } from './platform/log.ts';
import { EdgeMetrics } from './platform/metrics/edge-metrics.ts';
import { createRegistry } from './platform/metrics/process-metrics.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** `corral edge`: returns the exit code once its last request has ended. */
export async function runEdge(flags: EdgeFlags): Promise<number> {
  const problem = limitsProblem(flags);
  if (problem !== undefined) return complain(EXIT_USAGE, problem);
  const found = readIdentity(process.env);
  if (!found.ok) return complain(EXIT_USAGE, found.problem);
  const log = createLog({ pretty: process.stdout.isTTY, level: flags.logLevel });
  const api = connect(flags, log);
  if (typeof api === 'string') return complain(EXIT_USAGE, api);
  const keys = await openKeys(flags);
  if (keys.kind === 'wrong') return complain(EXIT_USAGE, ...keys.problems);
  try {
    return await serve({ flags, log, keys, api, identity: found.identity });
  } finally {
    await api.close();
  }
}

function complain(exitCode: number, ...problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`corral edge: ${problem}\n`);
  return exitCode;
}

/** All that a running edge is made of. */
interface Serving {
  readonly flags: EdgeFlags;
  readonly log: Log;
  readonly keys: KeysInForce;
  readonly api: KubeConnection;
  readonly identity: EdgeIdentity;
}

async function serve({ flags, log, keys, api, identity }: Serving): Promise<number> {
  const replaced = Promise.withResolvers<'replaced'>();
  const registry = createRegistry(readVersion());
  const edge = new ClusterEdge({
    api,
    identity,
    readPresets: createPresetReader(() => ({ now: timers.now(), wall: Date.now() })),
    readPod: viewPod,
    newId: randomUUID,
    limits: limitsOf(flags),
    surface: surfaceOf(flags),
    ...proxiesOf(flags),
    ...ringOf(keys),
    created: Math.trunc(Date.now() / 1000),
    wallClock: Date.now,
    timers,
    log,
    observe: (seen) => edgeObservers(log, new EdgeMetrics(registry, edgeSight(seen, timers.now))),
    onTakenOver: (error) => {
      log.error('another edge has the name of this one, which ends', { error });
      replaced.resolve('replaced');
    },
  });
  const admin = createAdminServer({
    whyNotReady: () => edge.whyNotReady(),
    answers: edgeAnswers(registry, flags.openEndpoint, log),
  });
  const { adminPort, adminHost = flags.host } = flags;
  const unheard = await listen(admin, { host: adminHost, port: adminPort, flags: '--admin-host and --admin-port' });
  if (unheard !== undefined) return complain(EXIT_FAILED, unheard);
  log.info('answering probes and scrapes', { url: urlOf(admin) });
  const unfollow = followKeys(keys, { log, wakeIn: timers.wakeIn });
  const told = untilTold(log).then(() => 'told' as const);
  const end = await untilEnd(edge, { flags, log, keys }, { told, replaced: replaced.promise });
  await edge.shutdown();
  unfollow();
  closeAdminServer(admin);
  log.info('ended');
  return end === 'told' ? EXIT_OK : EXIT_FAILED;
}

/** Why an edge ends: it was told to, another has its name, or nobody can reach it. */
type End = 'told' | 'replaced' | 'unheard';

/** What may end an edge at any time. */
interface Ends {
  readonly told: Promise<'told'>;
  readonly replaced: Promise<'replaced'>;
}

/** Opens the clients' port when all is read from the API server, and resolves when it is to be closed for good. */
async function untilEnd(edge: ClusterEdge, serving: Pick<Serving, 'flags' | 'log' | 'keys'>, ends: Ends): Promise<End> {
  const first = Promise.race([ends.told, ends.replaced]);
  // Whoever is ended while it starts never listens: nobody would close a port that opens after that.
  if ((await Promise.race([edge.start(), first])) !== 'started') return first;
  // Waited for whatever comes meanwhile: a server that is about to listen cannot be closed.
  if (!(await openDoor(edge.edge.server, serving))) return 'unheard';
  const end = await first;
  if (end === 'told') await leave(edge, serving.flags.shutdownDelay, ends.replaced);
  return end;
}

/** Resolves when clients can connect. False: they cannot, and why is said. */
async function openDoor(
  server: Server,
  { flags, log, keys }: Pick<Serving, 'flags' | 'log' | 'keys'>,
): Promise<boolean> {
  const { host, port } = flags;
  const unheard = await listen(server, { host, port, flags: '--host and --port' });
  if (unheard !== undefined) {
    complain(EXIT_FAILED, unheard);
    return false;
  }
  log.info('listening', { url: urlOf(server) });
  warnOfOpenDoor(keys, server, log);
  return true;
}

/** Serves on without being ready, until no Service sends it new connections. */
async function leave(edge: ClusterEdge, delay: EdgeFlags['shutdownDelay'], replaced: Promise<unknown>): Promise<void> {
  edge.leave();
  await Promise.race([setTimeout(delay, undefined, { ref: false }), replaced]);
}
