import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { presetUid } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import { frozen, presetOf } from '../testing/planner-checks.ts';
import {
  beneficiaryOf,
  cancelsOf,
  drainsOf,
  idleSinceOf,
  isIdle,
  isServing,
  replicaOf,
  startsOf,
} from '../testing/planner-oracle.ts';
import { anyWorld } from '../testing/planner-worlds.ts';
import { testSeed } from '../testing/seed.ts';
import {
  aPool,
  aPreset,
  aReplica,
  drainingSince,
  planInput,
  readySince,
  scaled,
  startingSince,
  type World,
} from '../testing/worlds.ts';
import { plan } from './plan.ts';
import type { PlanInput } from './plan-input.ts';
import { whatIf } from './what-if.ts';

const a = aPreset('a');
const b = aPreset('b');
const ask = (world: World, uid = a.uid): ReturnType<typeof whatIf> => whatIf(planInput(world), uid);

describe('what would become of a request', () => {
  const world = { now: 99, presets: [a, b] };
  it('is not known of a preset that nobody has declared', () => {
    assert.equal(ask(world, presetUid('nobody')), undefined);
  });
  it('is that it is served, now or when it is loaded', () => {
    assert.deepEqual(ask({ ...world, replicas: [aReplica(a, readySince(1))] }), { kind: 'served', ready: true });
    assert.deepEqual(ask({ ...world, replicas: [aReplica(a, startingSince(1))] }), { kind: 'served', ready: false });
  });
  it('is that its model starts, or comes back', () => {
    assert.deepEqual(ask(world), { kind: 'starts', bin: 'pool' });
    assert.deepEqual(ask({ ...world, replicas: [aReplica(a, drainingSince(1))] }), { kind: 'returns' });
  });
  it('is that it waits for those that leave, and how long they have been idle', () => {
    const held = { ...world, replicas: [aReplica(b, readySince(10))], idleSince: new Map([[b.uid, 40]]) };
    assert.deepEqual(ask(held), {
      kind: 'waits',
      blocked: { preset: a.uid, reason: { kind: 'WaitingForDrain', leaving: [b.uid] }, position: 1 },
      leaving: [{ replica: 'b#1', preset: b.uid, cause: { kind: 'evicted', beneficiary: a.uid }, idleSince: 40 }],
    });
  });
  it('is that it waits for something else, as one more in the queue', () => {
    const busy = { ...world, replicas: [aReplica(b, readySince(10))], busy: new Map([[b.uid, 1]]) };
    const reason = { kind: 'WaitingForCapacity', holders: [b.uid] };
    assert.deepEqual(ask(busy), { kind: 'waits', blocked: { preset: a.uid, reason, position: 1 }, leaving: [] });
    const off = { ...world, presets: [scaled(a, { autoload: false })] };
    const blocked = { preset: a.uid, reason: { kind: 'AutoloadOff' }, position: undefined };
    assert.deepEqual(ask(off), { kind: 'waits', blocked, leaving: [] });
    const c = aPreset('c');
    const queue = { ...busy, presets: [a, b, c], waitingSince: new Map([[c.uid, 50]]) };
    const asked = ask(queue);
    assert.equal(asked?.kind === 'waits' ? asked.blocked.position : undefined, 2);
  });
  it('counts the age of those that wait already', () => {
    const pools = [aPool({ fairAfter: a.queue.maxWait })];
    const busy = {
      now: 700_000,
      pools,
      presets: [a, b],
      replicas: [aReplica(b, readySince(10))],
      busy: new Map([[b.uid, 1]]),
    };
    const leavingOf = (waitingSince: number): number => {
      const asked = ask({ ...busy, waitingSince: new Map([[a.uid, waitingSince]]) });
      return asked?.kind === 'waits' ? asked.leaving.length : 0;
    };
    assert.equal(leavingOf(100_000), 1);
    assert.equal(leavingOf(100_001), 0);
  });
});

/** The same world with one more waiter. */
const asking = (input: PlanInput, uid: typeof a.uid): PlanInput =>
  input.demand.has(uid)
    ? input
    : { ...input, demand: new Map([...input.demand, [uid, { waiting: 1, since: instant(input.now) }]]) };

describe('every answer', () => {
  it('is what the planner does with one more waiter, and changes nothing', () => {
    fc.assert(
      fc.property(anyWorld(), (given) => {
        const input = frozen(given);
        for (const preset of input.presets) {
          const { uid } = preset;
          const made = plan(asking(input, uid));
          const answer = whatIf(input, uid);
          const ends = drainsOf(made).filter(({ cause }) => beneficiaryOf(cause) === uid);
          const own = input.replicas.filter((one) => one.preset === uid);
          switch (answer?.kind) {
            case undefined:
              return assert.fail(`${uid} is declared`);
            case 'served':
              assert.ok(own.some((one) => isServing(one, preset)));
              break;
            case 'starts':
              assert.ok(startsOf(made).some((start) => start.preset === preset && start.bin === answer.bin));
              break;
            case 'returns':
              assert.ok(cancelsOf(made).some((id) => replicaOf(input, id).preset === uid));
              break;
            case 'waits':
              assert.deepEqual(
                answer.blocked,
                made.blocked.find((one) => one.preset === uid),
              );
              assert.deepEqual(
                answer.leaving.map(({ replica, cause }) => [replica, cause]),
                ends.map(({ replica, cause }) => [replica, cause]),
              );
              for (const { replica, preset: of, idleSince } of answer.leaving) {
                const leaver = replicaOf(input, replica);
                assert.equal(of, presetOf(input, leaver.preset).uid);
                assert.equal(idleSince, isIdle(leaver, input) ? idleSinceOf(leaver, input) : undefined);
              }
          }
        }
      }),
      { numRuns: 1_000, seed: testSeed() },
    );
  });
});
