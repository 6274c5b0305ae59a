import { checkObject } from '../../../../src/api/check-object.ts';
import type { ClusterObject } from '../../../../src/api/cluster/decode-objects.ts';
import { ModelDeploymentSpecSchema } from '../../../../src/api/model-deployment-schema.ts';
import { ModelPoolSpecSchema } from '../../../../src/api/model-pool-schema.ts';
import { declared, declaredPool } from '../../../../src/testing/declared-objects.ts';
import { effectsOf, type Effects } from './effects-of.ts';
import { DEPLOYMENT_LEAVES, POOL_LEAVES, type Leaf, type Values } from './leaf-values.ts';

type Tree = Readonly<Record<string, unknown>>;

/** A ModelDeployment's and its pool's. */
export interface Specs {
  readonly deployment: unknown;
  readonly pool: unknown;
}

/** One leaf of one of the two schemas. */
export interface LeafCase {
  readonly kind: keyof Specs;
  readonly path: string;
  readonly leaf: Leaf;
}

const casesOf = (kind: keyof Specs, leaves: ReadonlyMap<string, Leaf>): readonly LeafCase[] =>
  [...leaves].map(([path, leaf]) => ({ kind, path, leaf }));

/** All of them. */
export const LEAF_CASES: readonly LeafCase[] = [
  ...casesOf('deployment', DEPLOYMENT_LEAVES),
  ...casesOf('pool', POOL_LEAVES),
];

const OTHERS = ['rival', 'third'].map((name) => ({
  name,
  source: { path: `/${name}.gguf` },
  footprint: { vram: '1Gi' },
}));

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A tree with a value at a place; `undefined`: it is taken out. */
function set(tree: unknown, place: readonly string[], value: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return value;
  if (key === '[]') {
    const [first, ...others] = Array.isArray(tree) ? (tree as unknown[]) : [];
    return [set(first, rest, value), ...others];
  }
  const object = isTree(tree) ? tree : {};
  return { ...object, [key]: set(object[key], rest, value) };
}

const placeOf = (path: string): string[] => path.replaceAll('[]', '.[]').split('.');
const setAll = (tree: unknown, values: Values): unknown =>
  Object.entries(values).reduce((all, [path, value]) => set(all, placeOf(path), value), tree);
const prefixed = (prefix: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [`${prefix}${path}`, value]));

const clean = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** As they would be read from a file. */
const asRead = ({ deployment, pool }: Specs): Specs => ({ deployment: clean(deployment), pool: clean(pool) });

/** What a leaf of a layer needs beside it lies in the same layer. */
function specsAround({ kind, path, leaf }: LeafCase): Specs {
  const isInLayer = path.startsWith('defaults.');
  const { preset = {}, pool = {} } = leaf.around ?? {};
  const subject = setAll({ name: 'subject', source: { path: '/m.gguf' } }, isInLayer ? {} : preset);
  const specs: Specs = {
    deployment: { pool: 'default', presets: [subject, ...OTHERS] },
    pool: setAll({ defaults: { engine: { image: 'example.com/llama:1' } } }, pool),
  };
  return isInLayer ? { ...specs, [kind]: setAll(specs[kind], prefixed('defaults.', preset)) } : specs;
}

/** Both specs with a value at a leaf of one of them. */
export function specsWith(one: LeafCase, value: unknown): Specs {
  const around = specsAround(one);
  return asRead({ ...around, [one.kind]: set(around[one.kind], placeOf(one.path), value) });
}

/** Both specs without the leaf, and without what would hold nothing then: as somebody writes them who has deleted its lines. */
export function specsWithout(one: LeafCase): Specs {
  const around = specsAround(one);
  return asRead({ ...around, [one.kind]: takeOut(around[one.kind], placeOf(one.path)) ?? {} });
}

/** `undefined`: nothing is left. */
function takeOut(tree: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return undefined;
  if (key === '[]') {
    const [first, ...others] = Array.isArray(tree) ? (tree as unknown[]) : [];
    const items = [takeOut(first, rest), ...others].filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  const { [key]: member, ...others } = isTree(tree) ? tree : {};
  const left = takeOut(member, rest);
  const object = left === undefined ? others : { ...others, [key]: left };
  return Object.keys(object).length === 0 ? undefined : object;
}

/** Why they are refused, one sentence for each reason. */
export const faultsOf = ({ deployment, pool }: Specs): string[] =>
  [...checkObject(deployment, ModelDeploymentSpecSchema), ...checkObject(pool, ModelPoolSpecSchema)].map(
    ({ path, reason }) => `${path.join('.')}: ${reason}`,
  );

const NAMESPACES = new Map([['ml', new Map([['team', 'a']])]]);

const objectsOf = ({ deployment, pool }: Specs): { deployment: ClusterObject; pools: ClusterObject[] } => ({
  deployment: { ...declared('chat', []), spec: deployment },
  pools: [{ ...declaredPool('default'), spec: pool }],
});

/** What comes of them. */
export const effectsOfSpecs = (specs: Specs): Effects => effectsOf({ ...objectsOf(specs), namespaces: NAMESPACES });
