import type { TestContext } from 'node:test';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiObject } from './api-client.ts';
import { GROUP } from './corral-names.ts';
import { declareModels } from './declare.ts';
import { untilListed } from './edge-client.ts';
import { textAt } from './field-at.ts';
import { modelFolder } from './model-folder.ts';
import { findPreset } from './preset-status.ts';
import type { PresetStatus } from './preset-status.ts';
import { isClosed } from './pod-gate.ts';
import { PodWatch } from './pod-watch.ts';
import { isReady } from './test-cluster.ts';
import type { CorralInCluster, PoolSpec } from './corral-in-cluster.ts';

/** A preset of a ModelDeployment as a test writes it. */
export interface PresetSpec {
  readonly name: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** What one test, or one bench, has of the cluster: a namespace, the pods in it, and an edge. */
export class Scene<T extends Cleanup = TestContext> {
  readonly t: T;
  readonly corral: CorralInCluster;
  readonly namespace: string;
  readonly pods: PodWatch;
  /** Of the edge that ran when the test began. */
  readonly url: string;

  constructor(t: T, corral: CorralInCluster, namespace: string, url: string) {
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
    await api.until(claims, name, (object) => textAt(object, 'status', 'phase') === 'Bound');
    return name;
  }

  /** Creates a ModelDeployment, and resolves when its names are granted and the edge knows them. */
  async apply(name: string, pool: string, presets: readonly PresetSpec[]): Promise<ApiObject> {
    await declareModels(this.corral.cluster.api, { namespace: this.namespace, name }, { pool, presets });
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
