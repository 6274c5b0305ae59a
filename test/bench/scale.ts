import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createKubeApi } from '../../src/kube/transport.ts';
import { systemTimers } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { componentToken } from '../cluster/support/create-token.ts';
import { declareModels, declarePool } from '../cluster/support/declare.ts';
import { onSignal } from '../cluster/support/on-signal.ts';
import { freeLease } from '../cluster/support/operator-lease.ts';
import { startCluster, type OwnCluster } from '../cluster/support/start-cluster.ts';
import { install } from '../prove/drain-trials/drain-stage.ts';
import { makeSystemPod } from '../prove/drain-trials/system-pods.ts';
import { Mirror } from '../prove/operator-trials/mirror.ts';
import { startPaperKubelet } from '../prove/operator-trials/paper-kubelet.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine } from '../support/figures.ts';
import { tempFolder, type Cleanup } from '../support/temp-folder.ts';
import { waitUntil } from '../cluster/support/wait-until.ts';
import { buildPrograms } from './edge/programs.ts';
import { inLanes } from './operator/lanes.ts';
import { OperatorProcess } from './operator/operator-process.ts';
import { startLoad, type RunningLoad } from './scale/load.ts';
import { PlaneProbe } from './scale/plane-figures.ts';
import { renderScale, type Look, type ScaleSample } from './scale/scale-report.ts';
import { noFigures, SimulatedEdge, type EdgeFigures } from './scale/simulated-edge.ts';

export interface ScaleExtent {
  /** One measurement after the other, each with more of them. */
  readonly edges: readonly number[];
  readonly models: number;
  /** Models that may be loaded at once. */
  readonly room: number;
  readonly perSecond: number;
  /** Of a request, once a pod has it. */
  readonly meanMs: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export const FULL_EXTENT: ScaleExtent = {
  edges: [5, 20, 50],
  models: 200,
  room: 40,
  perSecond: 10,
  meanMs: 2000,
  warmUpSeconds: 15,
  seconds: 45,
};

/** A busy model has to leave for one that has waited for longer. */
const FAIR_AFTER = '5s';
const POOL = 'scale';
/** Writes at a time. */
const LANES = 8;
/** What all edges have to complain of. */
const log = createLog({ pretty: false, level: 'warn', destination: process.stderr });

interface Bed {
  readonly t: Cleanup;
  readonly own: OwnCluster;
  readonly pods: Mirror;
  readonly extent: ScaleExtent;
  readonly models: readonly string[];
  readonly folder: string;
  readonly probe: PlaneProbe;
  readonly operator: OperatorProcess;
  /** Where edges note what they have measured, now. */
  figures: EdgeFigures;
}

/** One API server, an operator, pods on paper, and more and more edges that share one load. */
export async function benchScale(extent: ScaleExtent, print: (text: string) => void): Promise<void> {
  const { models, room, perSecond, meanMs, seconds } = extent;
  print(`${describeMachine()}\n${models} models, ${room} of them loaded at once; ${perSecond} requests a second of `);
  print(`${meanMs / 1000} s each, ${seconds} s each time\n\n`);
  await withCleanup(async (t) => {
    const bed = await startBed(t, extent);
    const edges: SimulatedEdge[] = [];
    const samples: ScaleSample[] = [];
    for (const count of extent.edges) {
      while (edges.length < count) edges.push(await startEdge(bed, edges.length));
      samples.push(await measure(bed, edges));
    }
    print(renderScale(samples));
    await inLanes(edges, LANES, async (edge) => edge.stop());
  });
}

async function measure(bed: Bed, edges: readonly SimulatedEdge[]): Promise<ScaleSample> {
  const { extent, models } = bed;
  const load = startLoad(edges, { ...extent, models, random: Math.random });
  await pause(extent.warmUpSeconds * 1000);
  const before = await lookAt(bed, load);
  const figures = (bed.figures = noFigures());
  await pause(extent.seconds * 1000);
  const after = await lookAt(bed, load);
  bed.figures = noFigures();
  load.stop();
  return { edges: edges.length, before, after, operatorResident: bed.operator.mostResident(), figures };
}

/** An API server that has much to do takes seconds to tell of itself: all else is read when it has, with the time. */
async function lookAt({ probe, operator }: Bed, load: RunningLoad): Promise<Look> {
  const plane = await probe.read();
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    plane,
    operator: operator.cpuSeconds(),
    allEdges: (user + system) / 1e6,
    requests: load.sent(),
  };
}

async function startBed(t: Cleanup, extent: ScaleExtent): Promise<Bed> {
  const folder = await tempFolder(t);
  const own = await startCluster({ nodes: 0 });
  const forget = onSignal(async () => own.stop());
  t.after(async () => {
    forget();
    await own.stop();
  });
  const { cluster } = own;
  await install(cluster);
  const pods = new Mirror(t, cluster.api, '/api/v1/pods');
  await pods.ready();
  await startPaperKubelet(t, cluster.api, pods);
  const models = await declareAll(own, extent);
  const probe = new PlaneProbe(own);
  t.after(async () => probe.close());
  const operator = await startOperator(t, { own, pods, folder });
  return { t, own, pods, extent, models, folder, probe, operator, figures: noFigures() };
}

async function declareAll({ cluster: { api } }: OwnCluster, extent: ScaleExtent): Promise<readonly string[]> {
  const defaults = {
    engine: { image: 'example.com/llama:1' },
    args: ['--parallel=16'],
    scaling: { idleTimeout: '0s' },
  };
  const spec = { capacity: { maxLoaded: extent.room }, eviction: { fairAfter: FAIR_AFTER }, defaults };
  await declarePool(api, POOL, spec);
  const names = Array.from({ length: extent.models }, (_, index) => `model-${index}`);
  await inLanes(names, LANES, async (name) => {
    const presets = [{ name, source: { path: `/models/${name}.gguf` } }];
    await declareModels(api, { name }, { pool: POOL, presets });
  });
  return names;
}

async function startOperator(
  t: Cleanup,
  { own: { cluster }, pods, folder }: Pick<Bed, 'own' | 'pods' | 'folder'>,
): Promise<OperatorProcess> {
  const pod = await makeSystemPod(cluster, pods, { name: 'operator', component: 'operator' });
  const tokenFile = join(folder, 'operator.token');
  writeFileSync(tokenFile, await componentToken(cluster.api, 'operator', pod), { mode: 0o600 });
  await freeLease(cluster.api);
  const { corral } = buildPrograms(folder);
  const { server, caFile } = cluster;
  const operator = new OperatorProcess({ corral, folder, server, caFile, tokenFile, profileFolder: undefined });
  t.after(async () => operator.stop());
  await operator.until('operating');
  return operator;
}

/** Resolves when it knows all models. */
async function startEdge(bed: Bed, index: number): Promise<SimulatedEdge> {
  const { cluster } = bed.own;
  const pod = await makeSystemPod(cluster, bed.pods, { name: `edge-${index}`, component: 'edge' });
  const { name, uid, namespace } = pod.metadata;
  const tokenFile = join(bed.folder, `${name}.token`);
  writeFileSync(tokenFile, await componentToken(cluster.api, 'edge', pod), { mode: 0o600 });
  const access = { server: new URL(cluster.server), caFile: cluster.caFile, tokenFile };
  const api = createKubeApi(access, { timers: systemTimers, log, userAgent: `corral/${name}` });
  bed.t.after(async () => api.close());
  const edge = new SimulatedEdge({
    api,
    identity: { namespace: String(namespace), podName: name, podUid: uid },
    timers: systemTimers,
    log,
    figures: () => bed.figures,
  });
  await edge.start();
  await waitUntil(`${name} knows all models`, 60, async () => Promise.resolve(bed.models.every((model) => edge.knows(model)))); // prettier-ignore
  return edge;
}
