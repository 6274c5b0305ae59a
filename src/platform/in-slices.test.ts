import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant, milliseconds } from '../domain/units.ts';
import { inSlices } from './in-slices.ts';

test('others get a turn whenever a slice is over, and not before', async () => {
  const story: string[] = [];
  let now = 0;
  function* work(): Generator<undefined, string> {
    for (let step = 1; step <= 5; step += 1) {
      story.push(`step ${step}`);
      now += 4;
      yield;
    }
    return 'result';
  }
  setImmediate(() => {
    story.push('another');
  });
  assert.equal(await inSlices(work(), () => instant(now), milliseconds(10)), 'result');
  assert.deepEqual(story, ['step 1', 'step 2', 'step 3', 'another', 'step 4', 'step 5']);
});
