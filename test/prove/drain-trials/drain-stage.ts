import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { Observer } from '../../cluster/observer/observer.ts';
import { renderViolation } from '../../cluster/observer/judge.ts';
import type { ApiClient } from '../../cluster/support/api-client.ts';
import { GROUP, SYSTEM } from '../../cluster/support/corral-names.ts';
import { declareModels, declarePool } from '../../cluster/support/declare.ts';
import { untilListed } from '../../cluster/support/edge-client.ts';
import { startCluster, type OwnCluster } from '../../cluster/support/start-cluster.ts';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { Mirror } from '../operator-trials/mirror.ts';
import { buildProgram } from '../operator-trials/operator-program.ts';
import { startPaperKubelet } from '../operator-trials/paper-kubelet.ts';
import type { Series } from '../proof.ts';
import { EdgeFleet } from './edge-fleet.ts';
import { EvictionWatch } from './eviction-watch.ts';
import { OperatorSeats } from './operator-seats.ts';
import { Relay } from './relay.ts';
import { StubPods } from './stub-pods.ts';

/** How much there is of everything. */
export interface StageSize {
  readonly edges: number;
  /** Of each edge. */
  readonly clients: number;
  readonly models: number;
  /** Models that may be loaded at once. */
  readonly room: number;
  /** After which a model goes to zero; `0s`: never. */
  readonly idleTimeout: string;
  /** The first so many models are always loaded (`minReplicas`); without it none. */
  readonly kept?: number;
  /** How long a request waits for its model; without it as long as Corral has it. */
  readonly maxWait?: string;
  /** How long the guard of a pod that somebody deletes waits without a request, in milliseconds; see `StubPods`. */
  readonly guardMs?: number;
}

/** A control plane with real operators and real edges, and stubs of llama-servers for its pods. */
export interface DrainStage {
  readonly cluster: TestCluster;
  /** Whose API server can be taken away. */
  readonly own: Pick<OwnCluster, 'killApiServer' | 'restartApiServer'>;
  readonly pods: Mirror;
  readonly reports: Mirror;
  readonly stubs: StubPods;
  readonly evictions: EvictionWatch;
  readonly operators: OperatorSeats;
  readonly edges: EdgeFleet;
  /** Between the edge in the first place and the API server. */
  readonly relay: Relay;
  readonly models: readonly string[];
  /** What the observer of the cluster says when nobody asks anything any more; it ends with that. */
  readonly judge: () => Promise<Series>;
}

export const POOL = 'drain';
/** A busy model has to leave for one that has waited for longer. */
const FAIR_AFTER = '1s';
const ENGINE = { engine: { image: 'example.com/llama:1' }, args: ['--parallel=16'] };
const PRESETS_OF_ONE = 12;

/** `nodeFlags`: of the operators and edges. */
export async function setDrainStage(
  t: Cleanup,
  size: StageSize,
  nodeFlags: readonly string[] = [],
): Promise<DrainStage> {
  const [node = '', ...rest] = await buildProgram(t);
  const program = [node, ...nodeFlags, ...rest];
  const own = await startCluster({ nodes: 0 });
  t.after(async () => own.stop());
  const { cluster } = own;
  const observer = await Observer.start(cluster);
  await install(cluster);
  const pods = new Mirror(t, cluster.api, '/api/v1/pods');
  const reports = new Mirror(t, cluster.api, `${GROUP}/edgereports`);
  await Promise.all([pods.ready(), reports.ready()]);
  const stubs = new StubPods(t, own.index, size.guardMs);
  await startPaperKubelet(t, cluster.api, pods, stubs);
  const parts = { cluster, pods, program };
  const operators = await OperatorSeats.start(t, parts);
  const models = await declareAll(cluster, size);
  const relay = new Relay(t, new URL(cluster.server));
  const relayed = `https://127.0.0.1:${await relay.listen()}`;
  const ways = Array.from({ length: size.edges }, (_, place) => (place === 0 ? relayed : cluster.server));
  const edges = await EdgeFleet.start(t, parts, ways);
  await untilAllListed(edges, models);
  const evictions = new EvictionWatch(t, pods);
  return {
    cluster,
    own,
    pods,
    reports,
    stubs,
    evictions,
    operators,
    edges,
    relay,
    models,
    judge: async () => judge(observer),
  };
}

/** Resolves when each edge lists these models. */
export async function untilAllListed(edges: EdgeFleet, models: readonly string[]): Promise<void> {
  for (const { url } of edges.all) for (const model of models) await untilListed(url, model);
}

async function judge(observer: Observer): Promise<Series> {
  const { states, writes, violations } = await observer.end();
  const what = `the rules of the observer, over ${states} states of objects and ${writes} writes`;
  return { what, runs: 1, failures: violations.map(renderViolation), timed: '', timings: [] };
}

/** What `deploy/` says, but no operators and edges in pods. */
export async function install(cluster: TestCluster): Promise<void> {
  await cluster.deployCrds();
  await cluster.deploy('deploy/namespace.yaml');
  for (const file of ['deploy/operator.yaml', 'deploy/edge.yaml']) {
    const documents = parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJSON() as unknown);
    const kept = documents.filter((one) => !JSON.stringify(one).includes('"kind":"Deployment"'));
    const stdin = kept.map((one) => JSON.stringify(one)).join('\n---\n');
    await cluster.kubectl(['apply', '--filename', '-'], stdin);
  }
  const accounts = `/api/v1/namespaces/${SYSTEM}/serviceaccounts`;
  await cluster.api.until(accounts, 'default', (account) => account !== undefined);
}

/** Declares a pool for models whose pods are stubs. */
export async function declarePoolFor(
  api: ApiClient,
  name: string,
  { room, idleTimeout }: Pick<StageSize, 'room' | 'idleTimeout'>,
): Promise<void> {
  const defaults = { ...ENGINE, scaling: { idleTimeout } };
  await declarePool(api, name, { capacity: { maxLoaded: room }, eviction: { fairAfter: FAIR_AFTER }, defaults });
}

async function declareAll(
  { api }: TestCluster,
  { models, room, idleTimeout, kept = 0, maxWait }: StageSize,
): Promise<readonly string[]> {
  await declarePoolFor(api, POOL, { room, idleTimeout });
  const names = Array.from({ length: models }, (_, index) => `model-${index}`);
  const all = names.map((name, index) => ({
    ...{ name, source: { path: `/models/${name}.gguf` } },
    ...(index < kept ? { scaling: { minReplicas: 1 } } : {}),
    ...(maxWait === undefined ? {} : { queue: { maxWait } }),
  }));
  for (let at = 0; at < models; at += PRESETS_OF_ONE) {
    const presets = all.slice(at, at + PRESETS_OF_ONE);
    await declareModels(api, { name: `models-${at}` }, { pool: POOL, presets });
  }
  return names;
}
