import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { formatGate, parseGate, type Gate } from '../../api/cluster/pod-marks.ts';
import { LARGEST_EPOCH, ReportSchema } from '../../api/edge-report-schema.ts';
import { nextEpoch } from './next-epoch.ts';

const [half, largest] = [2n ** 52n, BigInt(LARGEST_EPOCH)];

/** Of every length, and many where something begins or ends. */
const version = fc.oneof(
  fc.bigInt({ min: 1n, max: 10n ** 30n }),
  ...[1n, 10n ** 9n, half, 2n * (half - 1n), largest, 10n ** 16n].map((edge) =>
    fc.bigInt({ min: edge, max: edge + 20n }).map((at) => (at > 10n ? at - 10n : at)),
  ),
);
const resourceVersion = fc.oneof(version.map(String), fc.string(), fc.constantFrom('0', '-1', '1e9', '0x10'));
const epoch = fc.oneof(
  fc.maxSafeNat(),
  fc.nat({ max: 20 }).map((below) => LARGEST_EPOCH - below),
);
const gate = fc.option(fc.record({ closed: fc.boolean(), epoch }), { nil: undefined });

test('the next gate is read as it was written, may be acknowledged, and has another number than the one before', () => {
  fc.assert(
    fc.property(gate, resourceVersion, fc.boolean(), (before, at, closed) => {
      const next: Gate = { closed, epoch: nextEpoch({ gate: before, resourceVersion: at }) };
      assert.deepEqual(parseGate(formatGate(next)), next);
      assert.ok(Value.Check(ReportSchema.properties.acks, [{ podUid: 'p', epoch: next.epoch }]));
      assert.notEqual(next.epoch, before?.epoch);
    }),
    { numRuns: 2000, examples: [[{ closed: true, epoch: LARGEST_EPOCH }, String(LARGEST_EPOCH), true]] },
  );
});

test('no number is given twice to a pod, whatever others write into its gate between', () => {
  const byOthers = fc.constantFrom('ajar', `open/${LARGEST_EPOCH}`, `closed/${LARGEST_EPOCH + 1}`, undefined);
  const steps = fc.array(fc.record({ writes: fc.bigInt({ min: 1n, max: 3n }), byOthers }), { maxLength: 30 });
  fc.assert(
    fc.property(version, steps, (created, all) => {
      let [at, now]: [bigint, Gate | undefined] = [created, { closed: false, epoch: 0 }];
      const given = [0];
      for (const step of all) {
        if (step.byOthers !== undefined) [at, now] = [at + 1n, parseGate(step.byOthers)];
        now = { closed: true, epoch: nextEpoch({ gate: now, resourceVersion: String(at) }) };
        given.push(now.epoch);
        at += step.writes;
      }
      assert.equal(new Set(given).size, given.length, given.join(' '));
    }),
    { numRuns: 1000 },
  );
});

test('a resourceVersion that is no number gives another number than others do', () => {
  const numbers = ['', 'a', 'b', '0', '00', 'NaN'].map((at) => nextEpoch({ gate: undefined, resourceVersion: at }));
  assert.equal(new Set(numbers).size, numbers.length);
});
