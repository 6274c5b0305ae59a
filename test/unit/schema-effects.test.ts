import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkObject } from '../../src/api/check-object.ts';
import type { ClusterObject } from '../../src/api/cluster/decode-objects.ts';
import { ModelDeploymentSpecSchema } from '../../src/api/model-deployment-schema.ts';
import { ModelPoolSpecSchema } from '../../src/api/model-pool-schema.ts';
import { declared, declaredPool } from '../../src/testing/declared-objects.ts';
import { effectsOf, type Effects } from './support/schema-effects/effects-of.ts';
import { DEPLOYMENT_LEAVES, LAYER, POOL_LEAVES, type Leaf, type Values } from './support/schema-effects/leaf-values.ts';
import { listLeaves } from './support/schema-effects/list-leaves.ts';

type Tree = Record<string, unknown>;

const OTHERS = ['rival', 'third'].map((name) => ({
  name,
  source: { path: `/${name}.gguf` },
  footprint: { vram: '1Gi' },
}));

/** A tree with a value at a place; `undefined`: it is taken out. */
function set(tree: unknown, place: readonly string[], value: unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return value;
  if (key === '[]') {
    const [first, ...others] = Array.isArray(tree) ? (tree as unknown[]) : [];
    return [set(first, rest, value), ...others];
  }
  const object = typeof tree === 'object' && tree !== null ? (tree as Tree) : {};
  return { ...object, [key]: set(object[key], rest, value) };
}

const placeOf = (path: string): string[] => path.replaceAll('[]', '.[]').split('.');
const setAll = (tree: unknown, values: Values): unknown =>
  Object.entries(values).reduce((all, [path, value]) => set(all, placeOf(path), value), tree);

interface Specs {
  readonly deployment: unknown;
  readonly pool: unknown;
}

/** Both specs with a value at a leaf of one of them. What a leaf of a layer needs beside it lies in the same layer. */
function specsWith(kind: keyof Specs, path: string, leaf: Leaf, value: unknown): Specs {
  const isInLayer = path.startsWith('defaults.');
  const { preset = {}, pool = {} } = leaf.around ?? {};
  const subject = setAll({ name: 'subject', source: { path: '/m.gguf' } }, isInLayer ? {} : preset);
  const specs: Specs = {
    deployment: { pool: 'default', presets: [subject, ...OTHERS] },
    pool: setAll({ defaults: { engine: { image: 'example.com/llama:1' } } }, pool),
  };
  const around = isInLayer ? setAll(specs[kind], prefixed('defaults.', preset)) : specs[kind];
  return clean({ ...specs, [kind]: set(around, placeOf(path), value) });
}

const prefixed = (prefix: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([path, value]) => [`${prefix}${path}`, value]));

/** As it would be read from a file. */
const clean = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const objectsOf = ({ deployment, pool }: Specs): { deployment: ClusterObject; pools: ClusterObject[] } => ({
  deployment: { ...declared('chat', []), spec: deployment },
  pools: [declaredPool('default', pool as object)],
});

const NAMESPACES = new Map([['ml', new Map([['team', 'a']])]]);

function effects(specs: Specs): Effects {
  return effectsOf({ ...objectsOf(specs), namespaces: NAMESPACES });
}

const faultsOf = ({ deployment, pool }: Specs): string[] =>
  [...checkObject(deployment, ModelDeploymentSpecSchema), ...checkObject(pool, ModelPoolSpecSchema)].map(
    ({ path, reason }) => `${path.join('.')}: ${reason}`,
  );

function check(kind: keyof Specs, path: string, leaf: Leaf): void {
  const specs = (value: unknown): Specs => specsWith(kind, path, leaf, value);
  if ('refused' in leaf) {
    assert.notDeepEqual(faultsOf(specs(leaf.refused)), [], 'it is accepted, and then it has to have an effect');
    if (leaf.only !== undefined) assert.deepEqual(faultsOf(specs(leaf.only)), []);
    return;
  }
  const [from, to] = [specs(leaf.from), specs(leaf.to)];
  for (const one of [from, to]) assert.deepEqual(faultsOf(one), []);
  assert.notDeepEqual(effects(from)[leaf.changes], effects(to)[leaf.changes], `nothing of its ${leaf.changes} changes`);
}

for (const [kind, schema, leaves] of [
  ['deployment', ModelDeploymentSpecSchema, DEPLOYMENT_LEAVES],
  ['pool', ModelPoolSpecSchema, POOL_LEAVES],
] as const) {
  describe(`the spec of a Model${kind === 'pool' ? 'Pool' : 'Deployment'}`, () => {
    it('has each field that is tried here, and no other', () => {
      assert.deepEqual([...leaves.keys()].sort(), [...listLeaves(schema, '')].sort());
      assert.ok(leaves.size > Object.keys(LAYER).length);
    });
    for (const [path, leaf] of leaves) {
      const what = 'changes' in leaf ? `changes its ${leaf.changes}` : `lets nothing in that would do nothing`;
      it(`${path}: ${what}`, () => {
        check(kind, path, leaf);
      });
    }
  });
}

it('what has no effect somewhere is seen to have none there', () => {
  const path = 'presets[].tags[]';
  const [one, other] = ['a', 'b'].map((tag) => effects(specsWith('deployment', path, { refused: tag }, tag)));
  for (const kind of ['pod', 'plan', 'orders', 'deadlines', 'status'] as const) {
    assert.deepEqual(one?.[kind], other?.[kind]);
  }
  assert.notDeepEqual(one?.routes, other?.routes);
});
