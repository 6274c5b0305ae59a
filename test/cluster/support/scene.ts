import type { TestContext } from 'node:test';
import type { ApiObject } from './api-client.ts';
import { assertNothingForbidden } from './audit.ts';
import { GROUP } from './corral-names.ts';
import { untilListed } from './edge-client.ts';
import { modelFolder } from './model-folder.ts';
import { findPreset } from './preset-status.ts';
import type { PresetStatus } from './preset-status.ts';
import { PodWatch } from './pod-watch.ts';
import { isReady } from './test-cluster.ts';
import { withCorral } from './with-corral.ts';
import type { CorralInCluster, PoolSpec } from './with-corral.ts';

/** A preset of a ModelDeployment as a test writes it. */
export interface PresetSpec {
  readonly name: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** What one test has of the cluster: a namespace, the pods in it, and an edge. */
export class Scene {
  readonly t: TestContext;
  readonly corral: CorralInCluster;
  readonly namespace: string;
  readonly pods: PodWatch;
  /** Of the edge that ran when the test began. */
  readonly url: string;

  constructor(t: TestContext, corral: CorralInCluster, namespace: string, url: string) {
    this.t = t;
    this.corral = corral;
    this.namespace = namespace;
    this.url = url;
    this.pods = new PodWatch(t, corral.cluster, namespace);
  }

  get deployments(): string {
    return `${GROUP}/namespaces/${this.namespace}/modeldeployments`;
  }

  async pool(spec: PoolSpec = {}): Promise<string> {
    return this.corral.pool(this.t, spec);
  }

  /** A PersistentVolumeClaim of this namespace with the files of `modelFolder`. */
  async claim(): Promise<string> {
    const { api } = this.corral.cluster;
    const name = 'models';
    const [volume, storage] = [`${this.namespace}-${name}`, '1Gi'];
    const common = { accessModes: ['ReadOnlyMany'], storageClassName: '' };
    await api.call('POST', '/api/v1/persistentvolumes', {
      metadata: { name: volume },
      spec: {
        ...common,
        capacity: { storage },
        hostPath: { path: await modelFolder() },
        claimRef: { namespace: this.namespace, name },
      },
    });
    this.t.after(async () => {
      await api.call('DELETE', `/api/v1/persistentvolumes/${volume}`);
    });
    const claims = `/api/v1/namespaces/${this.namespace}/persistentvolumeclaims`;
    await api.call('POST', claims, {
      metadata: { name },
      spec: { ...common, volumeName: volume, resources: { requests: { storage } } },
    });
    await api.until(claims, name, (object) => phaseOf(object) === 'Bound');
    return name;
  }

  /** Creates a ModelDeployment, and resolves when its names are granted and the edge knows them. */
  async apply(name: string, pool: string, presets: readonly PresetSpec[]): Promise<ApiObject> {
    await this.corral.cluster.api.call('POST', this.deployments, {
      apiVersion: 'corral.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name },
      spec: { pool, presets },
    });
    const isGranted = ({ names }: PresetStatus): boolean => names.length > 0;
    const object = await this.untilStatus(
      name,
      presets.map((preset) => [preset.name, isGranted]),
    );
    for (const preset of presets) await untilListed(this.url, preset.name);
    return object;
  }

  /** Replaces the presets of a ModelDeployment. */
  async edit(name: string, presets: readonly PresetSpec[]): Promise<void> {
    await this.corral.cluster.api.call('PATCH', `${this.deployments}/${name}`, { spec: { presets } });
  }

  async remove(name: string): Promise<void> {
    await this.corral.cluster.api.call('DELETE', `${this.deployments}/${name}`);
  }

  /** Resolves when each of these presets has a status of which its test says yes. */
  async untilStatus(
    name: string,
    wanted: readonly (readonly [string, (status: PresetStatus) => boolean])[],
  ): Promise<ApiObject> {
    const object = await this.corral.cluster.api.until(this.deployments, name, (seen) =>
      wanted.every(([preset, isSo]) => {
        const status = findPreset(seen, preset);
        return status !== undefined && isSo(status);
      }),
    );
    if (object === undefined) throw new Error(`${name} is gone`);
    return object;
  }

  /** The pod of a preset that is ready and does not leave, once there is one; `besides`: and that is not this one. */
  async readyPod(preset: string, besides?: ApiObject): Promise<ApiObject> {
    return this.pods.until(`a ready pod of ${preset}`, () =>
      this.pods.pods.find(
        (pod) =>
          pod.metadata.labels?.['corral.dev/preset'] === preset &&
          pod.metadata.uid !== besides?.metadata.uid &&
          pod.metadata.deletionTimestamp === undefined &&
          isReady(pod),
      ),
    );
  }

  /** Resolves when a pod's gate is closed. */
  async untilClosed(pod: ApiObject): Promise<void> {
    await this.pods.until(`the gate of ${pod.metadata.name} is closed`, () =>
      this.pods.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid && isClosed(metadata)),
    );
  }
}

function phaseOf(object: ApiObject | undefined): unknown {
  const status = object?.['status'];
  return typeof status === 'object' && status !== null && 'phase' in status ? status.phase : undefined;
}

/** Whether no edge may send a pod anything. */
export const isClosed = ({ annotations }: ApiObject['metadata']): boolean =>
  annotations?.['corral.dev/gate']?.startsWith('closed/') === true;

/**
 * A test in a namespace of its own, in a cluster in which Corral runs. Afterwards
 * nothing of Corral may have tried what it may not do. If it fails, what the cluster and Corral's logs say
 * is printed.
 */
export const inCluster =
  (work: (scene: Scene) => Promise<void>, labels: Readonly<Record<string, string>> = {}) =>
  async (t: TestContext): Promise<void> => {
    const corral = await withCorral();
    const namespace = await corral.namespace(labels);
    const { url } = await corral.edge();
    const scene = new Scene(t, corral, namespace, url);
    try {
      await work(scene);
      await assertNothingForbidden(corral.cluster);
    } catch (error) {
      process.stderr.write(`${t.fullName}:\n${scene.pods.describe()}\n${await corral.describeSystem()}\n`);
      throw error;
    } finally {
      await corral.clear(namespace);
    }
  };
