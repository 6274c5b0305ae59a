import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTinyGguf } from '../../../src/api/tiny-gguf.ts';
import { randomFrom } from '../../../src/testing/hostile-bodies.ts';
import type { ApiObject } from '../../cluster/support/api-client.ts';
import { SYSTEM } from '../../cluster/support/corral-names.ts';
import { declareModels, declarePool } from '../../cluster/support/declare.ts';
import { ask, contentOf, untilListed } from '../../cluster/support/edge-client.ts';
import { addressOf } from '../../cluster/support/field-at.ts';
import { seenAsModels } from '../../cluster/support/model-folder.ts';
import { startObservedCluster, Violated } from '../../cluster/support/start-observed-cluster.ts';
import { isReady, type TestCluster } from '../../cluster/support/test-cluster.ts';
import { assertWhole, startStream } from '../../support/chat.ts';
import { withCleanup } from '../../support/cleanup-stack.ts';
import { tempFolder, type Cleanup } from '../../support/temp-folder.ts';
import { Mirror } from '../operator-trials/mirror.ts';
import type { Extent, Series } from '../proof.ts';
import { EvictionWatch } from './eviction-watch.ts';

const EDGES = 3;
const CLIENTS_OF_AN_EDGE = 2;
const MODELS = ['a', 'b', 'c', 'd', 'e', 'f'];
const ROOM = 2;
/** For so long one eviction may take on a busy machine, in milliseconds. */
const PATIENCE_MS = 10_000;

/** The same on a real node, as Corral is installed: its own pods, and pods with real llama-servers. */
export async function proveOnNode(extent: Extent): Promise<readonly Series[]> {
  const own = await startObservedCluster({ requireNode: true });
  const failures: string[] = [];
  const series = await withCleanup(async (t) => evictUnderLoad(t, own.cluster, extent)).finally(async () =>
    own.stop().catch((error: unknown) => {
      if (!(error instanceof Violated)) throw error;
      failures.push(error.message);
    }),
  );
  return [...series, { what: 'the rules of the observer', runs: 1, failures, timed: '', timings: [] }];
}

async function evictUnderLoad(t: Cleanup, cluster: TestCluster, { runs, seed }: Extent): Promise<readonly Series[]> {
  await install(cluster);
  await declareAll(t, cluster);
  const pods = new Mirror(t, cluster.api, '/api/v1/pods');
  await pods.ready();
  const edges = pods.objects.filter(serves).map(urlOf);
  for (const edge of edges) for (const model of MODELS) await untilListed(edge, model);
  const evictions = new EvictionWatch(t, pods);
  const load = new NodeLoad(edges, seed);
  const failures: string[] = [];
  await evictions.until(runs, 60_000 + runs * PATIENCE_MS).catch((error: unknown) => failures.push(String(error)));
  const { count, drains } = evictions;
  await load.stop();
  const { streams, answers, faults } = load;
  return [
    {
      what: `a real node, ${edges.length} edges, real llama-servers: evictions, under ${streams} streams and ${answers} other answers, all whole`,
      runs: count,
      failures: [...faults, ...failures],
      timed: 'from the closed gate to the end of the pod',
      timings: drains,
    },
  ];
}

/** Whether it is an edge that is ready and does not leave. */
const serves = (pod: ApiObject): boolean =>
  pod.metadata.labels?.['app.kubernetes.io/name'] === 'corral-edge' &&
  pod.metadata.deletionTimestamp === undefined &&
  isReady(pod);

const urlOf = (pod: ApiObject): string => `http://${addressOf(pod)}:8080`;

async function install(cluster: TestCluster): Promise<void> {
  await cluster.image('corral');
  await cluster.deployCrds();
  await cluster.deploy('deploy/namespace.yaml', 'deploy/operator.yaml', 'deploy/edge.yaml');
  const inSystem = ['--namespace', SYSTEM];
  await cluster.kubectl([...inSystem, 'scale', 'deployment/corral-edge', `--replicas=${EDGES}`]);
  for (const name of ['corral-edge', 'corral-operator'])
    await cluster.kubectl([...inSystem, 'rollout', 'status', `deployment/${name}`, '--timeout=120s']);
}

async function declareAll(t: Cleanup, cluster: TestCluster): Promise<void> {
  const folder = await tempFolder(t);
  // Pods run as nobody.
  await chmod(folder, 0o755);
  for (const [seed, name] of MODELS.entries()) await writeFile(join(folder, `${name}.gguf`), renderTinyGguf({ seed }));
  const defaults = {
    engine: { image: await cluster.image('llama-server') },
    args: ['--threads=1', '--parallel=2', '--no-warmup'],
    scaling: { idleTimeout: '0s' },
    pod: seenAsModels(folder),
  };
  await declarePool(cluster.api, 'drain', { capacity: { maxLoaded: ROOM }, eviction: { fairAfter: '2s' }, defaults });
  const presets = MODELS.map((name) => ({ name, source: { path: `/models/${name}.gguf` } }));
  await declareModels(cluster.api, { name: 'drain' }, { pool: 'drain', presets });
}

/** Clients of all edges that ask real models, one thing after the other, until they are stopped. */
class NodeLoad {
  readonly #said = new Map<string, string>();
  readonly #running: Promise<unknown>;
  #isOver = false;
  streams = 0;
  answers = 0;
  readonly faults: string[] = [];

  constructor(edges: readonly string[], seed: number) {
    const clients = edges.flatMap((edge) => Array.from({ length: CLIENTS_OF_AN_EDGE }, () => edge));
    this.#running = Promise.all(clients.map(async (edge, index) => this.#beClient(edge, seed + index)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #beClient(edge: string, seed: number): Promise<void> {
    const random = randomFrom(seed);
    while (!this.#isOver) {
      const model = String(MODELS[random(MODELS.length)]);
      const tokens = 8 + random(120);
      const asking = random(3) > 0 ? this.#stream(edge, model, tokens) : this.#ask(edge, model);
      await asking.catch((error: unknown) => this.faults.push(`${edge} ${model}: ${String(error)}`));
    }
  }

  async #stream(edge: string, model: string, tokens: number): Promise<void> {
    const { whole } = await startStream({ url: edge }, model, tokens);
    await assertWhole(whole, model, tokens);
    this.streams += 1;
  }

  /** The same question always has the same answer. */
  async #ask(edge: string, model: string): Promise<void> {
    const content = contentOf(await ask(edge, model));
    const before = this.#said.get(model);
    if (before !== undefined && before !== content) throw new Error(`it says ${content}, and said ${before} before`);
    this.#said.set(model, content);
    this.answers += 1;
  }
}
