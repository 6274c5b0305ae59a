import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { testSeed } from '../../testing/seed.ts';
import { inOrder } from '../policies/in-order.ts';
import { EventHeap, type SimulatedEvent } from './event-heap.ts';

const kinds = ['end', 'gone', 'ready'] as const;
const events = fc.uniqueArray(
  fc.record({
    at: fc.nat({ max: 20 }),
    kind: fc.constantFrom(...kinds),
    subject: fc.nat({ max: 20 }),
  }),
  { selector: ({ at, kind, subject }) => `${at} ${kind} ${subject}`, maxLength: 60 },
);

const drained = (heap: EventHeap): SimulatedEvent[] => {
  const out: SimulatedEvent[] = [];
  for (let first = heap.first; first !== undefined; first = heap.first) {
    assert.equal(heap.pop(), first);
    out.push(first);
  }
  return out;
};

describe('the heap of events', () => {
  it('gives them back by time, then ends before exits before readiness, then by number, however they came', () => {
    fc.assert(
      fc.property(events, (given) => {
        const heap = new EventHeap();
        for (const event of given) heap.push(event);
        const sorted = given.toSorted((a, b) =>
          inOrder(a.at - b.at, kinds.indexOf(a.kind) - kinds.indexOf(b.kind), a.subject - b.subject),
        );
        assert.deepEqual(drained(heap), sorted);
        assert.equal(heap.pop(), undefined);
      }),
      { seed: testSeed() },
    );
  });
});
