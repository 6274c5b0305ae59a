import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../src/testing/hostile-bodies.ts';
import { testSeed } from '../../src/testing/seed.ts';
import { CORPUS } from '../hostile/corpus.ts';
import { randomSending, startForwarding } from '../hostile/forwarded-bodies.ts';
import { assertNothingSmuggled, judgeMutant, judgePayload, startHostileBed } from '../hostile/hostile-bed.ts';
import { mutant } from '../hostile/mutate.ts';
import { sideBySide } from '../hostile/side-by-side.ts';

/** Longer than anything takes that comes at all, also on a busy machine. */
const PATIENCE = 1500;
const MUTANTS = 300;
const AT_ONCE = 64;

test('of everything that two programs might read differently the edge has one reading, and the model the same', async (t) => {
  assert.ok(CORPUS.length >= 120);
  assert.equal(new Set(CORPUS.map(({ name }) => name)).size, CORPUS.length, 'each has a name of its own');
  const hostile = await startHostileBed(t, PATIENCE);
  const judge = async (payload: (typeof CORPUS)[number]): Promise<void> => judgePayload(hostile, payload);
  assert.deepEqual(await sideBySide(CORPUS, AT_ONCE, judge, ({ name }) => name), []);
  assertNothingSmuggled(hostile);
  assert.ok(hostile.answered.size >= 40, 'what is right is forwarded');
});

test('of what chance makes of it, too', async (t) => {
  const hostile = await startHostileBed(t, 200);
  const random = randomFrom(testSeed());
  const mutants = Array.from({ length: MUTANTS }, () => mutant(random));
  const judge = async (text: string): Promise<void> => judgeMutant(hostile, text);
  assert.deepEqual(await sideBySide(mutants, AT_ONCE, judge, JSON.stringify), []);
  assertNothingSmuggled(hostile);
});

/** Many more: `npm run prove -- hostile --part forwarding`. */
const BODIES = 500;

test('every body that is let in arrives as it was sent, by its hash, with what a variant adds and nothing else', async (t) => {
  const judge = await startForwarding(t);
  const random = randomFrom(testSeed());
  const sendings = Array.from({ length: BODIES }, () => randomSending(random));
  assert.deepEqual(await sideBySide(sendings, AT_ONCE, judge, ({ body }) => body.toString('latin1')), []);
});
