import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testSeed } from '../../../src/testing/seed.ts';
import { proveAstray } from '../../prove/drain-trials/astray.ts';

// The small form of `npm run prove -- drain --part astray`. The control plane is its own: operators of two tests would be rivals.

const RUNS = 1;

describe('edges that hear late or whose clocks are wrong', { timeout: 180_000 }, () => {
  it('fail no request, and the model that was used longest ago is the one that leaves', async () => {
    const series = await proveAstray({ runs: RUNS, seed: testSeed() });
    for (const { what, failures } of series) assert.deepEqual(failures, [], what);
    assert.deepEqual(
      series.slice(0, 3).map(({ timings }) => timings.length),
      [RUNS, RUNS, RUNS],
    );
  });
});
