import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelDeploymentSpecSchema } from '../../src/api/model-deployment-schema.ts';
import { ModelPoolSpecSchema } from '../../src/api/model-pool-schema.ts';
import { effectsOfSpecs, faultsOf, LEAF_CASES, specsWith, type LeafCase } from './support/schema-effects/leaf-specs.ts';
import { LAYER } from './support/schema-effects/leaf-values.ts';
import { listLeaves } from './support/schema-effects/list-leaves.ts';

// The same through a real API server: test/cluster/planes/operator-under-fire.test.ts.

function check(one: LeafCase): void {
  const { leaf } = one;
  if ('refused' in leaf) {
    assert.notDeepEqual(
      faultsOf(specsWith(one, leaf.refused)),
      [],
      'it is accepted, and then it has to have an effect',
    );
    if (leaf.only !== undefined) assert.deepEqual(faultsOf(specsWith(one, leaf.only)), []);
    return;
  }
  const [from, to] = [specsWith(one, leaf.from), specsWith(one, leaf.to)];
  for (const specs of [from, to]) assert.deepEqual(faultsOf(specs), []);
  const [before, after] = [effectsOfSpecs(from), effectsOfSpecs(to)];
  assert.notDeepEqual(before[leaf.changes], after[leaf.changes], `nothing of its ${leaf.changes} changes`);
}

for (const [kind, schema] of [
  ['deployment', ModelDeploymentSpecSchema],
  ['pool', ModelPoolSpecSchema],
] as const) {
  describe(`the spec of a Model${kind === 'pool' ? 'Pool' : 'Deployment'}`, () => {
    const cases = LEAF_CASES.filter((one) => one.kind === kind);
    it('has each field that is tried here, and no other', () => {
      assert.deepEqual(cases.map(({ path }) => path).sort(), [...listLeaves(schema, '')].sort());
      assert.ok(cases.length > Object.keys(LAYER).length);
    });
    for (const one of cases) {
      const what = 'changes' in one.leaf ? `changes its ${one.leaf.changes}` : `lets nothing in that would do nothing`;
      it(`${one.path}: ${what}`, () => {
        check(one);
      });
    }
  });
}

it('what has no effect somewhere is seen to have none there', () => {
  const tags: LeafCase = { kind: 'deployment', path: 'presets[].tags[]', leaf: { refused: 'a' } };
  const [one, other] = ['a', 'b'].map((tag) => effectsOfSpecs(specsWith(tags, tag)));
  for (const kind of ['pod', 'plan', 'orders', 'deadlines', 'status'] as const) {
    assert.deepEqual(one?.[kind], other?.[kind]);
  }
  assert.notDeepEqual(one?.routes, other?.routes);
});
