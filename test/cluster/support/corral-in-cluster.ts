import { randomBytes } from 'node:crypto';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiObject } from './api-client.ts';
import { COMPONENTS, GROUP, SYSTEM } from './corral-names.ts';
import type { Component } from './corral-names.ts';
import { declarePool } from './declare.ts';
import { untilListed } from './edge-client.ts';
import { addressOf, fieldAt, isTrue, textAt } from './field-at.ts';
import { modelFolder, seenAsModels } from './model-folder.ts';
import { LEASES, OPERATOR_LEASE } from './operator-lease.ts';
import { PodWatch } from './pod-watch.ts';
import { isReady } from './test-cluster.ts';
import type { TestCluster } from './test-cluster.ts';

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${SYSTEM}/deployments`;
/** In the last of the manifests. */
const LAST_DEPLOYED = 'corral-edge';

/** An edge that takes requests. */
export interface RunningEdge {
  /** Reachable from this machine. */
  readonly url: string;
  readonly pod: ApiObject;
}

/** What a test may set of its pool. */
export interface PoolSpec {
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/**
 * Installs Corral from the manifests in `crds/` and `deploy/`, unless another file of tests has done that. It is watched until `t` is over, and
 * stays.
 */
export async function installCorral(t: Cleanup, cluster: TestCluster): Promise<CorralInCluster> {
  await cluster.image('corral');
  if ((await cluster.api.find(DEPLOYMENTS, LAST_DEPLOYED)) === undefined) {
    await cluster.deployCrds();
    await cluster.deploy('deploy/namespace.yaml', 'deploy/operator.yaml', 'deploy/edge.yaml');
  }
  const corral = new CorralInCluster(t, cluster, await cluster.image('llama-server'));
  try {
    await corral.untilAvailable();
  } catch (error) {
    throw new Error(`Corral does not come up:\n${await corral.describeSystem()}`, { cause: error });
  }
  return corral;
}

/** As of its newest spec. */
const isAvailable = (deployment: ApiObject | undefined): boolean =>
  isTrue(deployment, 'Available') &&
  fieldAt(deployment, 'metadata', 'generation') === fieldAt(deployment, 'status', 'observedGeneration');

/** Of the presets of a ModelDeployment. */
function namesOf(deployment: ApiObject): readonly string[] {
  const presets = fieldAt(deployment, 'spec', 'presets');
  return Array.isArray(presets) ? presets.flatMap((preset: unknown) => textAt(preset, 'name') ?? []) : [];
}

const isOf = ({ metadata }: ApiObject, component: Component): boolean =>
  metadata.labels?.['app.kubernetes.io/name'] === `corral-${component}`;

/** The name of the pod that a Lease names; empty: none. */
const leaderOf = (lease: ApiObject | undefined): string =>
  String(textAt(lease, 'spec', 'holderIdentity')).replace(/_[^_]*$/u, '');

/** Options of every llama-server: one thread and one slot, so that they do not spin against each other, and say the same. */
const ARGS = ['--threads=1', '--parallel=1', '--no-warmup'];

/** Corral in a cluster, as tests use it. */
export class CorralInCluster {
  readonly cluster: TestCluster;
  /** Of llama-server. */
  readonly image: string;
  readonly #t: Cleanup;
  readonly #pods: PodWatch;

  /** What it makes is removed when `t` is over. */
  constructor(t: Cleanup, cluster: TestCluster, image: string) {
    this.#t = t;
    this.cluster = cluster;
    this.image = image;
    this.#pods = new PodWatch(t, cluster, SYSTEM);
  }

  /** Resolves when operator and edge run. */
  async untilAvailable(): Promise<void> {
    for (const component of COMPONENTS) await this.cluster.api.until(DEPLOYMENTS, `corral-${component}`, isAvailable);
    await this.edge();
  }

  /** The edge that is ready and does not leave, once there is one. */
  async edge(): Promise<RunningEdge> {
    const pod = await this.pod('edge');
    return { url: this.urlOf(pod), pod };
  }

  /** Where an edge takes requests. */
  urlOf(edge: ApiObject): string {
    return `http://${addressOf(edge)}:8080`;
  }

  /** The pod of a component that is ready and does not leave, once there is one; `besides`: and that is not this one. */
  async pod(component: Component, besides?: ApiObject): Promise<ApiObject> {
    return this.#pods.until(`a ready ${component}`, () =>
      this.#pods.pods.find(
        (pod) =>
          isOf(pod, component) &&
          pod.metadata.deletionTimestamp === undefined &&
          pod.metadata.uid !== besides?.metadata.uid &&
          isReady(pod),
      ),
    );
  }

  /** The pod of the operator that leads, once one does; `besides`: and that is not this one. */
  async leader(besides?: ApiObject): Promise<ApiObject> {
    const lease = await this.cluster.api.until(LEASES, OPERATOR_LEASE, (object) => {
      const pod = this.#named(leaderOf(object));
      return pod !== undefined && pod.metadata.uid !== besides?.metadata.uid;
    });
    return this.#pods.until('the leading operator', () => this.#named(leaderOf(lease)));
  }

  /** Ends the operators, and returns what starts others, which happens after the test at the latest. */
  async withoutOperator(t: Cleanup): Promise<() => Promise<void>> {
    const old = this.#pods.pods.filter((pod) => isOf(pod, 'operator'));
    const scale = async (replicas: 0 | 2): Promise<string> =>
      this.cluster.kubectl(['--namespace', SYSTEM, 'scale', 'deployment/corral-operator', `--replicas=${replicas}`]);
    const start = async (): Promise<void> => {
      await scale(2);
      await this.untilAvailable();
    };
    t.after(start);
    await scale(0);
    for (const pod of old) await this.untilGone(pod);
    return start;
  }

  #named(name: string): ApiObject | undefined {
    return this.#pods.pods.find(({ metadata }) => metadata.name === name);
  }

  /** Resolves when the object of a component's pod is gone. */
  async untilGone(pod: ApiObject): Promise<void> {
    await this.#pods.untilGone(pod.metadata.uid);
  }

  /** A new namespace with these labels. */
  async namespace(labels: Readonly<Record<string, string>>): Promise<string> {
    return this.cluster.namespace(this.#t, labels);
  }

  /** Removes all models of a namespace. Their pods end soon. Resolves when the next test can have their names: the edge has forgotten them. */
  async clear(namespace: string): Promise<void> {
    const deployments = `${GROUP}/namespaces/${namespace}/modeldeployments`;
    const left = await this.cluster.api.list(deployments);
    await this.cluster.api.call('DELETE', deployments);
    await this.cluster.endPods(namespace);
    const { url } = await this.edge();
    for (const name of left.flatMap(namesOf)) await untilListed(url, name, (listed) => listed === undefined);
  }

  /**
   * A new ModelPool, removed after the test. Its models run this machine's llama-server, and find the files of
   * `modelFolder` below `/models`.
   */
  async pool(t: Cleanup, spec: PoolSpec = {}): Promise<string> {
    const name = `test-${randomBytes(4).toString('hex')}`;
    const defaults = {
      engine: { image: this.image },
      args: ARGS,
      pod: seenAsModels(await modelFolder()),
      ...spec.defaults,
    };
    await declarePool(this.cluster.api, name, { ...spec, defaults });
    t.after(async () => {
      await this.cluster.api.call('DELETE', `${GROUP}/modelpools/${name}`);
    });
    return name;
  }

  /** What a component has logged, in all its lives that the node remembers. */
  async logs(component: Component): Promise<string> {
    const selector = `app.kubernetes.io/name=corral-${component}`;
    return this.cluster.kubectl(['--namespace', SYSTEM, 'logs', '--selector', selector, '--tail=-1']);
  }

  /** For whoever has to find out why a test has failed. */
  async describeSystem(): Promise<string> {
    const told = await Promise.all([
      this.#tell(['get', 'pods', '--all-namespaces', '--output=wide']),
      this.#tell(['get', 'mdep,cpool,erep,leases', '--all-namespaces', '--output=yaml']),
      this.#tell(['get', 'events', '--all-namespaces']),
      this.logs('operator').catch(String),
      this.logs('edge').catch(String),
    ]);
    return told.join('\n----\n');
  }

  async #tell(args: readonly string[]): Promise<string> {
    return this.cluster.kubectl(args).catch(String);
  }
}
