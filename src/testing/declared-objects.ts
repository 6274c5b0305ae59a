import { type Acceptance, acceptAll } from '../api/cluster/accept.ts';
import type { NamespaceLabels } from '../api/cluster/allows-namespace.ts';
import { type ClusterObject, decodeDeployment, decodePool } from '../api/cluster/decode-objects.ts';
import { NOTHING_GRANTED } from '../api/cluster/grant-names.ts';
import { createJudge } from '../api/cluster/judge-deployment.ts';
import type { PodSettings } from '../api/cluster/pod-settings.ts';
import type { PresetVerdict, Rendered } from '../api/cluster/verdict.ts';

/** What pods would be made from: the settings themselves. */
export interface PlainTemplate {
  readonly rendered: string;
  readonly settings: PodSettings;
}

export interface DeclaredOptions {
  readonly namespace?: string;
  readonly createdAt?: string;
  readonly generation?: number;
  readonly isDeleting?: boolean;
  readonly pool?: string;
  readonly defaults?: object;
  readonly status?: object;
}

const IMAGE = 'example.com/llama:1';

/** A preset whose model is `/models/<name>.gguf`, with an image. */
export const declaredPreset = (name: string, more: object = {}): object => ({
  name,
  source: { path: `/models/${name}.gguf` },
  engine: { image: IMAGE },
  ...more,
});

/** A ModelDeployment as an API server has it. Its uid is `<name>-uid`; in namespace `ml`, created with the year 2026. */
export function declared(name: string, presets: readonly object[], options: DeclaredOptions = {}): ClusterObject {
  const { namespace = 'ml', createdAt = '2026-01-01T00:00:00Z', generation = 1, isDeleting = false } = options;
  const { pool = 'default', defaults, status } = options;
  return {
    apiVersion: 'corral.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: {
      name,
      namespace,
      uid: `${name}-uid`,
      creationTimestamp: createdAt,
      generation,
      ...(isDeleting ? { deletionTimestamp: createdAt } : {}),
    },
    spec: { pool, presets, ...(defaults === undefined ? {} : { defaults }) },
    ...(status === undefined ? {} : { status }),
  };
}

/** A ModelPool as an API server has it. */
export const declaredPool = (name = 'default', spec: object = {}, more: object = {}): ClusterObject => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'ModelPool',
  metadata: { name, uid: `${name}-pool-uid`, creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
  spec,
  ...more,
});

/** The status that grants names to presets of an object, and says nothing else. */
export const granting = (name: string, presets: Readonly<Record<string, readonly string[]>>): object => ({
  presets: Object.entries(presets).map(([preset, names]) => ({
    name: preset,
    phase: 'Unloaded',
    names,
    uid: `${name}-uid`,
  })),
});

type Render = (settings: PodSettings) => Rendered<PlainTemplate>;

export interface AcceptOptions {
  readonly pools?: readonly ClusterObject[];
  readonly namespaces?: ReadonlyMap<string, NamespaceLabels>;
  readonly render?: Render;
}

/** `acceptAll`, with the pool `default` and a rendering that takes everything unless told otherwise. */
export const acceptObjects = (
  deployments: readonly ClusterObject[],
  { pools = [declaredPool()], namespaces = new Map(), render = renderPlainly }: AcceptOptions = {},
): Acceptance<PlainTemplate> =>
  acceptAll({
    deployments: deployments.map(decodeDeployment),
    pools: pools.map(decodePool),
    namespaces,
    before: NOTHING_GRANTED,
    judge: createJudge(render),
  });

const renderPlainly: Render = (settings) => ({
  ok: true,
  template: { rendered: JSON.stringify(settings), settings },
});

/** The verdict about one preset of an object. */
export function verdictOn(
  { verdicts }: Acceptance<PlainTemplate>,
  object: string,
  preset = object,
): PresetVerdict<PlainTemplate> | undefined {
  const found = verdicts.find(({ deployment }) => deployment.ref.name === object);
  return found?.presets.find(({ name }) => name === preset);
}
