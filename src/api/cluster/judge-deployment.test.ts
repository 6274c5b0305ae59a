import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declared, declaredPool, declaredPreset } from '../../testing/declared-objects.ts';
import { acceptAll } from './accept.ts';
import { type ClusterObject, decodeDeployment, decodePool } from './decode-objects.ts';
import { NOTHING_GRANTED } from './grant-names.ts';
import { createJudge } from './judge-deployment.ts';

/** Decides again and again about what is there, and tells which presets were rendered since the last decision. */
function createDecider() {
  let rendered: string[] = [];
  let grants = NOTHING_GRANTED;
  const judge = createJudge(({ owner, preset }) => {
    rendered.push(`${owner.name}/${preset}`);
    return { ok: true, template: { rendered: preset } };
  });
  return (deployments: readonly ClusterObject[], pool: ClusterObject) => {
    rendered = [];
    const acceptance = acceptAll({
      deployments: deployments.map(decodeDeployment),
      pools: [decodePool(pool)],
      namespaces: new Map(),
      before: grants,
      judge,
    });
    ({ grants } = acceptance);
    return { acceptance, rendered };
  };
}

const a = declared('a', [declaredPreset('a1'), declaredPreset('a2', { aliases: ['shared'] })]);
const b = declared('b', [declaredPreset('b1')]);
const pool = declaredPool();
const ALL = ['a/a1', 'a/a2', 'b/b1'];

test('what was decided about a spec stands while its status changes and that of its pool', () => {
  const decide = createDecider();
  const first = decide([a, b], pool);
  assert.deepEqual(first.rendered, ALL);
  const later = decide([{ ...a, status: { loaded: '0/2' } }, b], { ...pool, status: { loaded: 1 } });
  assert.deepEqual(later.rendered, []);
  assert.equal(later.acceptance.verdicts[0]?.presets, first.acceptance.verdicts[0]?.presets, 'the very same verdicts');
});

test('another spec, another pool and other names are decided about anew', () => {
  const decide = createDecider();
  decide([a, b], pool);
  const edited = declared('b', [declaredPreset('b2')], { generation: 2 });
  assert.deepEqual(decide([a, edited], pool).rendered, ['b/b2']);
  const other = declaredPool('default', { maxPriority: 1 });
  assert.deepEqual(decide([a, edited], other).rendered, ['a/a1', 'a/a2', 'b/b2']);
  const rival = declared('0', [declaredPreset('r', { aliases: ['shared'] })], { createdAt: '2026-01-02T00:00:00Z' });
  const both = decide([a, b, rival], pool);
  assert.deepEqual(both.acceptance.verdicts[2]?.presets[0]?.lost, [{ name: 'shared', holder: 'ml/a' }]);
  const { rendered, acceptance } = decide([b, rival], pool);
  assert.deepEqual(rendered, ['0/r'], 'the name is free now');
  assert.deepEqual(acceptance.verdicts[1]?.presets[0]?.granted, ['r', 'shared']);
});

test('two pools that say the same are two', () => {
  const spec = {};
  const [one, two] = [declaredPool('one', spec), declaredPool('two', spec)].map(decodePool);
  assert.deepEqual(
    [one, two].map((pool) => pool?.decoded.kind === 'valid' && pool.decoded.spec.pool.name),
    ['one', 'two'],
  );
});
