import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '../../src/domain/units.ts';
import { refusalOf } from '../../src/edge/route-refusals.ts';
import { routeOf } from '../../src/testing/edge-testbed.ts';

for (const because of ['a pool that it fits into: it needs more vram', 'it needs more vram']) {
  test(`who asks for a model that is too large is told what it lacks, also where it is said to wait for "${because}"`, () => {
    const refusal = { kind: 'too-large', because } as const;
    const { code, message } = refusalOf(routeOf({ model: 'a', refusal }), refusal, instant(0));
    const expected = 'the model "a" is too large for its pool: it needs more vram';
    assert.deepEqual([code, message], ['model_too_large', expected]);
  });
}
