import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import {
  effectsOfSpecs,
  faultsOf,
  LEAF_CASES,
  specsWith,
  specsWithout,
  type LeafCase,
  type Specs,
} from '../../../unit/support/schema-effects/leaf-specs.ts';
import type { Effect } from '../../../unit/support/schema-effects/effects-of.ts';
import type { ApiClient } from '../api-client.ts';
import { documentedDefaults, withDefaults } from './documented-defaults.ts';
import { isRefused, LeafSeat } from './leaf-seat.ts';

/** Of the seats, each of which has leaves of its own, one after the other. */
const AT_ONCE = 6;
/** Whose pool a pool is. */
const IMMUTABLE = new Set(['controllerName']);

/**
 * Sets, changes and takes back each field of ModelDeployments and ModelPools at a real API server. Resolves with one sentence
 * for each that did not come to what the documents promise. No operator may run: the objects are looked at, not carried out.
 */
export async function walkLeaves(api: ApiClient, namespace: string): Promise<readonly string[]> {
  const left = [...LEAF_CASES];
  const wrong: string[] = [];
  const work = async (_: unknown, index: number): Promise<void> => {
    const seat = new LeafSeat(api, namespace, `leaf-${index}`);
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const { kind, path } = one;
      await walk(seat, one).catch((error: unknown) => wrong.push(`${kind} ${path}: ${String(error)}`));
    }
    await seat.remove();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return wrong;
}

async function walk(seat: LeafSeat, one: LeafCase): Promise<void> {
  const { leaf } = one;
  if ('refused' in leaf) {
    assert.ok(await isRefused(seat.apply(specsWith(one, leaf.refused))), 'what would do nothing is let in');
    if (leaf.only !== undefined) await applyAndLook(seat, specsWith(one, leaf.only));
    return;
  }
  const { changes } = leaf;
  const [first, last] = inOrder(one, leaf.from, leaf.to, changes);
  await applyAndLook(seat, specsWith(one, first));
  const before = seat.effects[changes];
  if (IMMUTABLE.has(one.path)) await beginAnew(seat, specsWith(one, last));
  await applyAndLook(seat, specsWith(one, last));
  assert.notDeepEqual(seat.effects[changes], before, `nothing of its ${changes} changes`);
  await takeBack(seat, one, changes);
  await setDefault(seat, one);
}

/** Refused for an object that is there already. */
async function beginAnew(seat: LeafSeat, specs: Specs): Promise<void> {
  assert.ok(await isRefused(seat.apply(specs)), 'what is immutable was changed');
  await seat.remove();
}

/** What is set last is what has another effect than no value. */
function inOrder(one: LeafCase, from: unknown, to: unknown, changes: Effect): readonly [unknown, unknown] {
  const without = specsWithout(one);
  if (faultsOf(without).length > 0) return [from, to];
  const isLikeNone = isDeepStrictEqual(effectsOfSpecs(without)[changes], effectsOfSpecs(specsWith(one, to))[changes]);
  return isLikeNone ? [to, from] : [from, to];
}

/** Nothing that was written is pruned, nothing is added but documented defaults, and it means what it means without an API server. */
async function applyAndLook(seat: LeafSeat, specs: Specs): Promise<void> {
  const stored = await seat.apply(specs);
  for (const kind of ['deployment', 'pool'] as const) {
    assert.deepEqual(
      stored[kind],
      withDefaults(kind, specs[kind], stored[kind]),
      'something else is stored than was written',
    );
  }
  assert.deepEqual(effectsOfSpecs(stored), effectsOfSpecs(specs), 'what is stored comes to something else');
}

/** Afterwards all is as if it had never been set. */
async function takeBack(seat: LeafSeat, one: LeafCase, changes: Effect): Promise<void> {
  const without = specsWithout(one);
  if (faultsOf(without).length > 0) {
    await stayAsItIs(seat, without);
    return;
  }
  const before = seat.effects[changes];
  if (IMMUTABLE.has(one.path)) await beginAnew(seat, without);
  await applyAndLook(seat, without);
  assert.deepEqual(seat.stored[one.kind], await seat.fresh(one.kind, without[one.kind]), 'something is left of it');
  assert.notDeepEqual(seat.effects[changes], before, `what was taken back still has its effect on its ${changes}`);
}

/** What has to be there cannot be taken back. */
async function stayAsItIs(seat: LeafSeat, without: Specs): Promise<void> {
  const before = await seat.read();
  assert.ok(await isRefused(seat.apply(without)), 'the API server lets be missing what Corral needs');
  assert.deepEqual(await seat.read(), before, 'what was refused has changed something');
}

/** The documented default is what holds without a value. */
async function setDefault(seat: LeafSeat, one: LeafCase): Promise<void> {
  const path = one.path.replace(/^defaults\./u, 'presets[].');
  const value = documentedDefaults(path.startsWith('presets[]') ? 'deployment' : one.kind).get(path);
  if (value === undefined) return;
  const without = seat.effects;
  await applyAndLook(seat, specsWith(one, value));
  assert.deepEqual(seat.effects, without, `its default is not ${JSON.stringify(value)}, as docs/api.md says`);
}
