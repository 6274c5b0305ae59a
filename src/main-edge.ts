import { randomUUID } from 'node:crypto';
import { viewPod } from './api/cluster/pod-view.ts';
import { createPresetReader } from './api/cluster/routed-presets.ts';
import type { EdgeFlags } from './cli/edge-options.ts';
import { connect } from './cli/connect.ts';
import { followKeys, openKeys, ringOf, warnOfOpenDoor, type KeysInForce } from './cli/key-source.ts';
import { limitsOf, limitsProblem } from './cli/limit-options.ts';
import { proxiesOf } from './cli/proxy-options.ts';
import { listen, urlOf } from './cli/listen.ts';
import { untilTold } from './cli/until-told.ts';
import { ClusterEdge } from './cluster-edge/cluster-edge.ts';
import { readIdentity, type EdgeIdentity } from './cluster-edge/edge-identity.ts';
import { createProbeServer } from './platform/probe-server.ts';
import type { KubeConnection } from './kube/transport.ts';
import { systemTimers as timers } from './platform/clock.ts';
import { createLog, type Log } from './platform/log.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** `corral edge`: returns the exit code once its last request has ended. */
export async function runEdge(flags: EdgeFlags): Promise<number> {
  const problem = limitsProblem(flags);
  if (problem !== undefined) return complain(EXIT_USAGE, problem);
  const found = readIdentity(process.env);
  if (!found.ok) return complain(EXIT_USAGE, found.problem);
  const api = connect(flags);
  if (typeof api === 'string') return complain(EXIT_USAGE, api);
  const keys = await openKeys(flags);
  if (keys.kind === 'wrong') return complain(EXIT_USAGE, ...keys.problems);
  const log = createLog({ pretty: process.stdout.isTTY, level: flags.logLevel });
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
  const edge = new ClusterEdge({
    api,
    identity,
    readPresets: createPresetReader(() => ({ now: timers.now(), wall: Date.now() })),
    readPod: viewPod,
    newId: randomUUID,
    limits: limitsOf(flags),
    ...proxiesOf(flags),
    ...ringOf(keys),
    created: Math.trunc(Date.now() / 1000),
    wallClock: Date.now,
    timers,
    log,
    onTakenOver: (error) => {
      log.error('another edge has the name of this one, which ends', { error });
      replaced.resolve('replaced');
    },
  });
  const probes = createProbeServer(() => edge.whyNotReady());
  const { host, port, probePort } = flags;
  const noProbes = await listen(probes, { host, port: probePort, flag: '--probe-port' });
  if (noProbes !== undefined) return complain(EXIT_FAILED, noProbes);
  log.info('answering probes', { url: urlOf(probes) });
  const unfollow = followKeys(keys, { log, wakeIn: timers.wakeIn });
  const told = untilTold(log).then(() => 'told' as const);
  const started = edge.start().then(async () => listen(edge.edge.server, { host, port, flag: '--port' }));
  const first = await Promise.race([started, told, replaced.promise]);
  if (first === undefined) {
    log.info('listening', { url: urlOf(edge.edge.server) });
    warnOfOpenDoor(keys, edge.edge.server, log);
  }
  const end = first ?? (await Promise.race([told, replaced.promise]));
  await edge.shutdown();
  unfollow();
  probes.close();
  probes.closeAllConnections();
  log.info('ended');
  return end === 'told' ? EXIT_OK : EXIT_FAILED;
}
