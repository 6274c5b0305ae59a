import type { Effect } from './effects-of.ts';

/** Values by their places, of which `[]` is the first item of a list. */
export type Values = Readonly<Record<string, unknown>>;

/** Where an object is looked at: fields of the preset, and of its pool, that a leaf needs beside it. */
export interface Around {
  readonly preset?: Values;
  readonly pool?: Values;
}

/** What shows that a leaf has an effect. */
export type Leaf =
  /** Its value changes something of this kind. */
  | { readonly changes: Effect; readonly from: unknown; readonly to: unknown; readonly around?: Around }
  /** This value is refused, as is every other but those of `only`: nothing is let in that would do nothing. */
  | { readonly refused: unknown; readonly only?: unknown; readonly around?: Around };

const key = { name: 'a', key: 'b' };
const variable = (ref: string): Values => ({ 'env[].name': 'A', [`env[].valueFrom.${ref}`]: key });
const inRef = (ref: string): Record<string, Leaf> => ({
  [`env[].valueFrom.${ref}.name`]: { changes: 'pod', from: 'a', to: 'c', around: { preset: variable(ref) } },
  [`env[].valueFrom.${ref}.key`]: { changes: 'pod', from: 'b', to: 'c', around: { preset: variable(ref) } },
  [`env[].valueFrom.${ref}.optional`]: { changes: 'pod', from: false, to: true, around: { preset: variable(ref) } },
});
const claims = { 'pod.resourceClaims': [{ name: 'a', resourceClaimName: 'x' }] };
const field = { 'env[].name': 'A', 'env[].valueFrom.fieldRef.fieldPath': 'status.hostIP' };

/** What pools, ModelDeployments and presets may all set. */
export const LAYER: Readonly<Record<string, Leaf>> = {
  'engine.type': { refused: 'Other', only: 'LlamaServer' },
  'engine.image': { changes: 'pod', from: 'a/b:1', to: 'a/b:2' },
  'args[]': { changes: 'pod', from: '--ctx-size=1', to: '--ctx-size=2' },
  'env[].name': { changes: 'pod', from: 'A', to: 'B', around: { preset: { 'env[].value': 'a' } } },
  'env[].value': { changes: 'pod', from: 'a', to: 'b', around: { preset: { 'env[].name': 'A' } } },
  ...inRef('secretKeyRef'),
  ...inRef('configMapKeyRef'),
  'env[].valueFrom.fieldRef.fieldPath': {
    ...{ changes: 'pod', from: 'status.hostIP', to: 'status.podIP' },
    around: { preset: { 'env[].name': 'A' } },
  },
  'env[].valueFrom.fieldRef.apiVersion': { changes: 'pod', from: undefined, to: 'v1', around: { preset: field } },
  'scaling.minReplicas': { changes: 'plan', from: 0, to: 1 },
  'scaling.maxReplicas': { changes: 'plan', from: 1, to: 3, around: { preset: { 'scaling.targetInFlight': 2 } } },
  'scaling.idleTimeout': { changes: 'plan', from: '10m', to: '20m' },
  'scaling.targetInFlight': { changes: 'plan', from: 2, to: 99, around: { preset: { 'scaling.maxReplicas': 3 } } },
  'scaling.provisionTimeout': { changes: 'deadlines', from: '10m', to: '20m' },
  'scaling.loadTimeout': { changes: 'deadlines', from: '10m', to: '20m' },
  'scaling.loadOnStartup': { changes: 'orders', from: false, to: true },
  'scaling.autoload': { changes: 'plan', from: true, to: false },
  'resources.limits': { changes: 'pod', from: { cpu: '1' }, to: { cpu: '2' } },
  'resources.requests': { changes: 'pod', from: { cpu: '1' }, to: { cpu: '2' } },
  'resources.claims[].name': { changes: 'pod', from: 'a', to: 'b', around: { preset: claims } },
  'resources.claims[].request': {
    ...{ changes: 'pod', from: 'a', to: 'b' },
    around: { preset: { ...claims, 'resources.claims[].name': 'a' } },
  },
  'pod.labels': { changes: 'pod', from: { a: 'b' }, to: { a: 'c' } },
  'pod.annotations': { changes: 'pod', from: { a: 'b' }, to: { a: 'c' } },
  'pod.nodeSelector': { changes: 'pod', from: { a: 'b' }, to: { a: 'c' } },
  'pod.tolerations': { changes: 'pod', from: [{ key: 'a' }], to: [{ key: 'b' }] },
  'pod.affinity': { changes: 'pod', from: { podAffinity: {} }, to: { podAntiAffinity: {} } },
  'pod.topologySpreadConstraints': { changes: 'pod', from: [{ maxSkew: 1 }], to: [{ maxSkew: 2 }] },
  'pod.runtimeClassName': { changes: 'pod', from: 'a', to: 'b' },
  'pod.priorityClassName': { changes: 'pod', from: 'a', to: 'b' },
  'pod.schedulerName': { changes: 'pod', from: 'a', to: 'b' },
  'pod.imagePullSecrets': { changes: 'pod', from: [{ name: 'a' }], to: [{ name: 'b' }] },
  'pod.securityContext': { changes: 'pod', from: { runAsUser: 1 }, to: { runAsUser: 2 } },
  'pod.volumes': { changes: 'pod', from: [{ name: 'a', emptyDir: {} }], to: [{ name: 'b', emptyDir: {} }] },
  'pod.volumeMounts': {
    ...{ changes: 'pod', from: [{ name: 'a', mountPath: '/a' }], to: [{ name: 'a', mountPath: '/b' }] },
  },
  'pod.envFrom': { changes: 'pod', from: [{ secretRef: { name: 'a' } }], to: [{ secretRef: { name: 'b' } }] },
  'pod.initContainers': { changes: 'pod', from: [{ name: 'a' }], to: [{ name: 'b' }] },
  'pod.sidecars': { changes: 'pod', from: [{ name: 'a' }], to: [{ name: 'b' }] },
  'pod.resourceClaims': { changes: 'pod', from: [{ name: 'a' }], to: [{ name: 'b' }] },
};

const claimed = (part: string, from: string, to: string): Leaf => ({
  ...{ changes: 'pod', from, to },
  around: { preset: { source: { persistentVolumeClaim: { claimName: 'a', path: 'a', [part]: from } } } },
});
const mounted = (part: string, from: string, to: string): Leaf => ({
  ...{ changes: 'pod', from, to },
  around: { preset: { source: { image: { reference: 'a', path: 'a', [part]: from } } } },
});
const SHA = '0'.repeat(64);

/** Of the model's own source. */
const SOURCE: Readonly<Record<string, Leaf>> = {
  path: { changes: 'pod', from: '/a.gguf', to: '/b.gguf', around: { preset: { source: { path: '/a.gguf' } } } },
  'persistentVolumeClaim.claimName': claimed('claimName', 'a', 'b'),
  'persistentVolumeClaim.path': claimed('path', 'a', 'b'),
  'huggingFace.repo': { changes: 'pod', from: 'a/b', to: 'a/c', around: { preset: { source: {} } } },
  'huggingFace.quant': { changes: 'pod', from: 'Q4_0', to: 'Q8_0', around: hub() },
  'huggingFace.tokenSecretRef.name': { changes: 'pod', from: 'a', to: 'c', around: hub({ tokenSecretRef: key }) },
  'huggingFace.tokenSecretRef.key': { changes: 'pod', from: 'b', to: 'c', around: hub({ tokenSecretRef: key }) },
  'url.url': { changes: 'pod', from: 'http://a/b', to: 'http://a/c', around: { preset: { source: {} } } },
  'url.sha256': {
    changes: 'pod',
    from: SHA,
    to: 'f'.repeat(64),
    around: { preset: { source: { url: { url: 'http://a' } } } },
  },
  'image.reference': mounted('reference', 'a', 'b'),
  'image.path': mounted('path', 'a', 'b'),
};

function hub(more: object = {}): Around {
  return { preset: { source: { huggingFace: { repo: 'a/b', ...more } } } };
}

/** The same of a further file: its source is put into its place. */
function ofFile([place, leaf]: [string, Leaf]): [string, Leaf] {
  const { source } = leaf.around?.preset ?? {};
  const around = { preset: { files: [{ arg: 'model-draft', source }] } };
  // llama-server takes one token for all.
  if (place.includes('tokenSecretRef')) return [`files[].source.${place}`, { refused: 'a', around }];
  return [`files[].source.${place}`, { ...leaf, around }];
}

const VARIANT = { 'variants[].model': 'v', 'variants[].parameters': { temperature: 0 } };
const RARE = { pool: { 'capacity.resources': { vram: '10Gi' } } };

/** Of a preset alone. */
const PRESET: Readonly<Record<string, Leaf>> = {
  name: { changes: 'pod', from: 'a', to: 'b' },
  model: { changes: 'routes', from: 'a', to: 'b' },
  'aliases[]': { changes: 'routes', from: 'a', to: 'b' },
  'tags[]': { changes: 'routes', from: 'a', to: 'b' },
  ...Object.fromEntries(Object.entries(SOURCE).map(([place, leaf]) => [`source.${place}`, leaf])),
  'files[].arg': {
    ...{ changes: 'pod', from: 'lora', to: 'mmproj' },
    around: { preset: { files: [{ source: { path: '/a' } }] } },
  },
  ...Object.fromEntries(Object.entries(SOURCE).map(ofFile)),
  footprint: { changes: 'plan', from: { vram: '1Gi' }, to: { vram: '99Gi' }, around: RARE },
  'queue.maxWaiting': { changes: 'routes', from: 1, to: 2 },
  'queue.maxWait': { changes: 'routes', from: '1m', to: '2m' },
  priority: { changes: 'plan', from: 0, to: -5, around: { pool: { 'capacity.maxLoaded': 2 } } },
  'variants[].model': { changes: 'routes', from: 'a', to: 'b', around: { preset: VARIANT } },
  'variants[].parameters': { changes: 'routes', from: { a: 1 }, to: { a: 2 }, around: { preset: VARIANT } },
  'variants[].parameters.model': { refused: 'a', around: { preset: VARIANT } },
  'variants[].parameters.stream': { refused: true, around: { preset: VARIANT } },
};

const below = (place: string, leaves: Readonly<Record<string, Leaf>>): [string, Leaf][] =>
  Object.entries(leaves).map(([name, leaf]) => [`${place}${name}`, leaf]);

/** Of a ModelDeployment's spec. */
export const DEPLOYMENT_LEAVES: ReadonlyMap<string, Leaf> = new Map([
  ['pool', { changes: 'status', from: 'default', to: 'missing' }],
  ...below('defaults.', LAYER),
  ...below('presets[].', { ...LAYER, ...PRESET }),
]);

const chosen = (more: Values): Around => ({ pool: { 'allowedNamespaces.from': 'Selector', ...more } });
const matching = (more: Values): Around =>
  chosen({ 'allowedNamespaces.selector.matchExpressions[].key': 'team', ...more });
const SELECTOR = 'allowedNamespaces.selector';
const ONE = { pool: { 'capacity.maxLoaded': 1 } };

/** Of a ModelPool's. The namespace of the ModelDeployment has the label `team: a`. */
export const POOL_LEAVES: ReadonlyMap<string, Leaf> = new Map([
  ...below('defaults.', LAYER),
  ['controllerName', { changes: 'status', from: 'corral.dev/operator', to: 'example.com/other' }],
  ['allowedNamespaces.from', { changes: 'status', from: 'All', to: 'None' }],
  [`${SELECTOR}.matchLabels`, { changes: 'status', from: { team: 'a' }, to: { team: 'b' }, around: chosen({}) }],
  [
    `${SELECTOR}.matchExpressions[].key`,
    {
      ...{ changes: 'status', from: 'team', to: 'other' },
      around: chosen({ [`${SELECTOR}.matchExpressions[].operator`]: 'Exists' }),
    },
  ],
  [
    `${SELECTOR}.matchExpressions[].operator`,
    { changes: 'status', from: 'Exists', to: 'DoesNotExist', around: matching({}) },
  ],
  [
    `${SELECTOR}.matchExpressions[].values[]`,
    {
      ...{ changes: 'status', from: 'a', to: 'b' },
      around: matching({ [`${SELECTOR}.matchExpressions[].operator`]: 'In' }),
    },
  ],
  ['maxPriority', { changes: 'status', from: 5, to: 4, around: { preset: { priority: 5 } } }],
  ['paused', { changes: 'plan', from: false, to: true }],
  ['capacity.maxLoaded', { changes: 'plan', from: 1, to: 3 }],
  [
    'capacity.resources',
    {
      ...{ changes: 'plan', from: { vram: '1Gi' }, to: { vram: '10Gi' } },
      around: { preset: { footprint: { vram: '1Gi' } } },
    },
  ],
  ['capacity.unschedulableAfter', { changes: 'deadlines', from: '1s', to: '2s' }],
  [
    'eviction.policy',
    {
      ...{ changes: 'plan', from: 'LRUByIdle', to: 'IdleBySize' },
      around: {
        preset: { footprint: { vram: '9Gi' } },
        pool: { 'capacity.maxLoaded': 2, 'capacity.resources': { vram: '20Gi' } },
      },
    },
  ],
  ['eviction.minResidency', { changes: 'plan', from: '0s', to: '1m', around: ONE }],
  ['eviction.fairAfter', { changes: 'plan', from: '30s', to: '90s', around: ONE }],
  ['drainTimeout', { changes: 'pod', from: '10m', to: '20m' }],
]);
