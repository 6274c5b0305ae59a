import type { JsonObject } from '../domain/json.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { ANNOTATION, formatGate, LABEL, LLAMA_SERVER, type Gate } from '../api/cluster/pod-marks.ts';
import { clusterServes } from '../api/cluster/pod-settings.ts';
import { metaOf } from './fake-api-store.ts';

/** A ModelDeployment `ml/<name>` with one preset of its name, whose status grants the preset its name. Its uid is `<name>-uid`. */
export const aDeployment = (name: string, preset: JsonObject = {}): JsonObject => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: 'ml', uid: `${name}-uid`, generation: 1 },
  spec: { pool: 'default', presets: [{ name, source: { path: `/models/${name}.gguf` }, ...preset }] },
  status: {
    observedGeneration: 1,
    presets: [{ name, uid: `${name}-uid`, phase: 'Unloaded', names: [name], replicas: 0, readyReplicas: 0 }],
  },
});

/** The ModelPool `default`. */
export const aModelPool = (spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelPool',
  metadata: { name: 'default' },
  spec,
});

export interface PodSketch {
  readonly uid?: string;
  readonly gate?: Gate;
  /** Its address. Missing: it is not ready. */
  readonly ip?: string;
  readonly serves?: string;
  readonly annotations?: JsonObject;
}

export const OPEN: Gate = { closed: false, epoch: 0 };

/** The pod of a preset of `aDeployment`, as Corral makes it. Its uid is `<name>-pod`. */
export function aModelPod(
  name: string,
  { uid = `${name}-pod`, gate = OPEN, ip, serves, annotations = {} }: PodSketch = {},
): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: uid,
      namespace: 'ml',
      uid,
      labels: { [LABEL.managedBy]: 'corral', [LABEL.name]: LLAMA_SERVER, [LABEL.preset]: name },
      annotations: {
        [ANNOTATION.pool]: 'default',
        [ANNOTATION.rendered]: 'rendered',
        [ANNOTATION.serves]: serves ?? clusterServes(name, { kind: 'path', path: `/models/${name}.gguf` }, []),
        [ANNOTATION.prefix]: '/secret',
        [ANNOTATION.gate]: formatGate(gate),
        ...annotations,
      },
      ownerReferences: [
        { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', name, uid: `${name}-uid`, controller: true },
      ],
    },
    status: ip === undefined ? { phase: 'Pending' } : readyStatus(ip),
  };
}

const readyStatus = (podIP: string): JsonObject => ({
  phase: 'Running',
  podIP,
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:02Z' }],
});

/** The name of the pods of `aLife`. */
export const LIVES = { namespace: 'ml', name: 'a-0' };

/** One of several pods that have the same name one after another. */
export function aLife(uid: string): KubeObject {
  const pod = aModelPod('a');
  const metadata = { creationTimestamp: '', resourceVersion: '1', ...metaOf(pod), ...LIVES, uid };
  return { ...pod, metadata };
}
