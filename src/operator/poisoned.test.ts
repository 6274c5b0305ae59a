import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { readPath } from '../api/field-path.ts';
import type { FakeFault } from '../testing/fake-api-faults.ts';
import type { FakeMatch } from '../testing/fake-api-request.ts';
import {
  declare,
  phaseIs,
  report,
  setCapacity,
  startBed,
  startOperator,
  statusOf,
  type OperatorBed,
} from '../testing/operator-bed.ts';

const POISONED = 'poisoned';
const OTHERS = Array.from({ length: 20 }, (_, index) => `m${index}`);

/** Whatever is written to the poisoned ModelDeployment, or to make a pod for it. */
const ITS_WRITES: FakeMatch = {
  where: ({ verb, name, body }) =>
    ['create', 'update', 'patch', 'delete'].includes(verb) &&
    (name.startsWith(POISONED) || readPath(body, ['metadata', 'labels', 'corral.dev/preset']) === POISONED),
};

const FAULTS: readonly (readonly [string, FakeFault])[] = [
  ['fails', { kind: 'status', status: 500 }],
  ['breaks off', { kind: 'reset' }],
  ['meets another one', { kind: 'status', status: 409, reason: 'Conflict' }],
  ['is refused', { kind: 'status', status: 422, reason: 'Invalid' }],
  ['shall come later', { kind: 'status', status: 429, retryAfter: 60 }],
  ['is answered with nothing that Kubernetes says', { kind: 'bytes', bytes: '<html>', end: 'fin' }],
];

/** All of them are wanted, and there is room for all. */
async function aBed(t: TestContext): Promise<OperatorBed> {
  const bed = await startBed(t);
  setCapacity(bed, {});
  for (const name of [POISONED, ...OTHERS]) declare(bed.server, name);
  report(bed.server, { models: Object.fromEntries([POISONED, ...OTHERS].map((name) => [name, { waiting: 1 }])) });
  return bed;
}

const othersAreReady = async ({ server }: OperatorBed): Promise<void> =>
  server.until(() => OTHERS.every((name) => phaseIs(server, name, 'Ready')()));

describe('one object among many of which no write succeeds', () => {
  for (const [what, fault] of FAULTS) {
    it(`holds none of the others up where each of its writes ${what}`, async (t) => {
      const bed = await aBed(t);
      const before = statusOf(bed.server, POISONED);
      bed.server.fail(ITS_WRITES, fault, Infinity);
      await startOperator(t, bed);
      await othersAreReady(bed);
      assert.deepEqual(statusOf(bed.server, POISONED), before);
    });
  }

  it('holds none of the others up where none of its writes is ever answered', async (t) => {
    const bed = await aBed(t);
    const hold = bed.server.hold(ITS_WRITES);
    await startOperator(t, bed);
    await othersAreReady(bed);
    assert.equal(hold.arrived, 2, 'its status and its pod: neither was given up and sent again meanwhile');
  });
});
