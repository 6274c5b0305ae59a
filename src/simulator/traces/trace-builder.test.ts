import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { TraceBuilder } from './trace-builder.ts';

it('a trace has the first requests by time, each with its own model and duration, and equals in the order in which they were added', () => {
  const request = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.nat(9), fc.nat(99));
  fc.assert(
    fc.property(fc.array(request, { maxLength: 3000, size: 'max' }), fc.nat(3000), (requests, most) => {
      const builder = new TraceBuilder();
      for (const [at, model, duration] of requests) builder.add(at, model, duration);
      const { at, model, duration } = builder.build(most);
      const sorted = requests.toSorted(([a], [b]) => a - b).slice(0, most);
      assert.deepEqual(
        Array.from(at, (time, index) => [time, model[index], duration[index]]),
        sorted,
      );
    }),
    { numRuns: 30 },
  );
});
