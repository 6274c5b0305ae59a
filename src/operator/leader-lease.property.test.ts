import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeaseWorld, type CallFate, type LeaseFaults, type Spell } from '../testing/lease-world.ts';
import { testSeed } from '../testing/seed.ts';

const FAULTS_END = 40_000;
/** The lease has run out, somebody who has lost begins anew, and one of them has taken it. */
const RECOVERED = FAULTS_END + 12_000;

const delays = fc.constantFrom(0, 50, 200, 900, 1500, 1950, 2100, 5000);
const fate = (weight: number): fc.Arbitrary<CallFate> => {
  const delay = fc.option(delays, { nil: undefined, freq: weight });
  return fc.record({ request: delay, answer: delay });
};

const spells = (candidates: number): fc.Arbitrary<Spell[]> =>
  fc
    .array(
      fc.record({
        candidate: fc.nat(candidates - 1),
        from: fc.nat(FAULTS_END - 1),
        length: fc.constantFrom(300, 2000, 3900, 4100, 6100, 12_000),
      }),
      { maxLength: 8 },
    )
    .map((all) => all.map((spell) => ({ ...spell, length: Math.min(spell.length, FAULTS_END - spell.from) })));

const faults: fc.Arbitrary<LeaseFaults> = fc.integer({ min: 2, max: 3 }).chain((candidates) =>
  fc.record({
    fates: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant({ request: 0, answer: 0 }) }, fate(4)), {
      minLength: 1,
      maxLength: 40,
    }),
    writes: fc.array(fc.constantFrom(0, 300, 1900, 2000), { minLength: 1, maxLength: 10 }),
    stalls: spells(candidates),
    partitions: spells(candidates),
    deletions: fc.array(fc.nat(FAULTS_END), { maxLength: 3 }),
    annotatedEvery: fc.constantFrom(0, 500, 1000, 5000),
    offsets: fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: candidates, maxLength: candidates }),
    until: fc.constant(FAULTS_END),
  }),
);

test('whatever is stopped, cut off, lost, deleted or annotated: no write of a leader arrives when another one leads, and one leads in the end', async () => {
  let changes = 0;
  const property = fc.asyncProperty(faults, async (chosen) => {
    const world = new LeaseWorld(chosen);
    await world.pass(RECOVERED);
    assert.deepEqual(world.wrongs, []);
    assert.equal(world.leaders.length, 1);
    changes += world.terms - 1;
  });
  await fc.assert(property, { seed: testSeed(), numRuns: 40 });
  assert.ok(changes > 20, `the lead has changed only ${changes} times`);
});
