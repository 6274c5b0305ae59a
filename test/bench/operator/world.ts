import { asObject, type ApiObject } from '../../cluster/support/api-client.ts';
import { answeredAt, createdName, isCreationOfPod, receivedAt } from '../../cluster/support/audit.ts';
import type { AuditEvent } from '../../cluster/support/audit-log.ts';
import { GROUP } from '../../cluster/support/corral-names.ts';
import { declareModels, declarePool } from '../../cluster/support/declare.ts';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import { inLanes } from './lanes.ts';

export const MODELS = 'models';
const OBJECTS = `${GROUP}/namespaces/${MODELS}/modeldeployments`;
const PODS = `/api/v1/namespaces/${MODELS}/pods`;
const REPORTS = `${GROUP}/namespaces/${MODELS}/edgereports`;
const EDGE = 'edge-1';
/** Writes at a time. */
const LANES = 16;

/** A preset of a ModelDeployment. */
export interface Wanted {
  readonly deployment: string;
  readonly deploymentUid: string;
  readonly preset: string;
}

/** A model that was wanted, and has its pod. */
export interface Came {
  /** When the edge's report was sent, in milliseconds since 1970. */
  readonly sentAt: number;
  readonly pod: string;
}

/**
 * Milliseconds from where the API server has written the report until it has made the pod, by its own log: what the sender of the
 * report and the watch for the pod take is left out. Throws if the log has nothing of them.
 */
export function timeToPod(log: readonly AuditEvent[], { sentAt, pod }: Came): number {
  const report = log.find((event) => event.objectRef?.resource === 'edgereports' && receivedAt(event) >= sentAt);
  const creation = log.find((event) => isCreationOfPod(event) && createdName(event) === pod);
  if (report === undefined || creation === undefined) throw new Error(`the API server has logged nothing of ${pod}`);
  return answeredAt(creation) - answeredAt(report);
}

/** What the operator finds: models, and an edge that reports. There is no kubelet, so that no pod ever runs. */
export class World {
  readonly #cluster: TestCluster;
  #edgeUid = '';
  #sequence = 0;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** Installs Corral but for its pods, with a pool without a limit. */
  async install(): Promise<void> {
    const { api } = this.#cluster;
    await this.#cluster.deployCrds();
    await this.#cluster.deploy('deploy/namespace.yaml', 'deploy/operator.yaml');
    await api.call('POST', '/api/v1/namespaces', { metadata: { name: MODELS } });
    // No controller makes it here, and no pod is admitted without.
    await api.call('POST', `/api/v1/namespaces/${MODELS}/serviceaccounts`, { metadata: { name: 'default' } });
    await declarePool(api, 'default', { defaults: { engine: { image: 'example.com/llama-server:1' } } });
    await this.#register();
  }

  /** An edge has started. */
  async #register(): Promise<void> {
    const { api } = this.#cluster;
    const pod = await api.call('POST', PODS, {
      metadata: { name: EDGE },
      spec: { containers: [{ name: 'edge', image: 'example.com/corral:1' }] },
    });
    this.#edgeUid = asObject(pod).metadata.uid;
    await api.call('POST', REPORTS, this.#report([]));
  }

  /** Declares so many ModelDeployments, and returns what can be wanted of each. */
  async declare(deployments: number, presets: number): Promise<readonly Wanted[]> {
    const names = Array.from({ length: deployments }, (_, index) => `m${index}`);
    const made = new Map<string, string>();
    await inLanes(names, LANES, async (name) => {
      const place = { namespace: MODELS, name };
      const { metadata } = await declareModels(this.#cluster.api, place, { presets: presetsOf(name, presets) });
      made.set(name, metadata.uid);
    });
    return Array.from({ length: presets }, (_, preset) => presetName(preset)).flatMap((preset) =>
      names.map((deployment) => ({ deployment, deploymentUid: String(made.get(deployment)), preset })),
    );
  }

  /** Resolves when every ModelDeployment has a status, but for the one of this name. */
  async untilTold(but?: string): Promise<void> {
    const left = new Set<string>();
    for await (const change of this.#cluster.api.changes(OBJECTS, '', AbortSignal.timeout(PATIENCE))) {
      for (const object of change.kind === 'listed' ? change.items : [change.object]) {
        if (object['status'] === undefined && object.metadata.name !== but) left.add(object.metadata.name);
        else left.delete(object.metadata.name);
      }
      if (left.size === 0) return;
    }
    throw new Error('the API server has ended a watch');
  }

  /** An edge tells that somebody waits for a model, and for others. Resolves when its pod exists. */
  async want(wanted: Wanted, others: readonly Wanted[] = []): Promise<Came> {
    const { api } = this.#cluster;
    const { version } = await api.snapshot(PODS, '');
    const created = this.#untilPodOf(wanted, version);
    const sentAt = Date.now();
    const [pod] = await Promise.all([
      created,
      api.call('PATCH', `${REPORTS}/${EDGE}`, this.#report([wanted, ...others])),
    ]);
    return { sentAt, pod };
  }

  /** Resolves with the name of the pod of a preset that is created after `version`. */
  async #untilPodOf(wanted: Wanted, version: string): Promise<string> {
    const signal = AbortSignal.timeout(PATIENCE);
    for await (const { object } of this.#cluster.api.watch(PODS, { selector: '', version }, signal)) {
      if (isPodOf(object, wanted)) return object.metadata.name;
    }
    throw new Error('the API server has ended a watch');
  }

  /** Removes all models and their pods; to be called while no operator runs. */
  async clear(): Promise<void> {
    const { api } = this.#cluster;
    await api.call('PATCH', `${REPORTS}/${EDGE}`, this.#report([]));
    await api.call('DELETE', OBJECTS);
    await api.call('DELETE', `${PODS}?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dcorral`);
  }

  #report(wanted: readonly Wanted[]): object {
    this.#sequence += 1;
    const counts = { inFlight: 0, waiting: 1, oldestWaitSeconds: 0, startedTotal: 0, finishedTotal: 0 };
    return {
      apiVersion: 'corral.dev/v1alpha1',
      kind: 'EdgeReport',
      metadata: { name: EDGE },
      report: {
        edge: { podName: EDGE, podUid: this.#edgeUid },
        bootId: 'boot-1',
        sequence: this.#sequence,
        models: wanted.map(({ deploymentUid, preset }) => ({ deploymentUid, preset, ...counts })),
        replicas: [],
        acks: [],
        orders: [],
      },
    };
  }
}

/** Within this everything has to happen, in milliseconds. */
const PATIENCE = 120_000;

const presetName = (preset: number): string => `p${preset}`;

const presetsOf = (deployment: string, count: number): readonly object[] =>
  Array.from({ length: count }, (_, preset) => ({
    name: presetName(preset),
    model: `org/${deployment}-${presetName(preset)}:Q4_K_M`,
    aliases: [`${deployment}-${presetName(preset)}`],
    source: { huggingFace: { repo: `org/${deployment}-GGUF`, quant: 'Q4_K_M' } },
    args: ['--ctx-size=8192', '--parallel=4', '--jinja'],
    resources: { limits: { memory: '8Gi', 'nvidia.com/gpu': 1 } },
  }));

const isPodOf = ({ metadata, ...rest }: ApiObject, { deploymentUid, preset }: Wanted): boolean =>
  metadata.labels?.['corral.dev/preset'] === preset && JSON.stringify({ ...metadata, ...rest }).includes(deploymentUid);
