import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureColdStarts } from '../../bench/coldstart.ts';
import { STEPS } from '../../bench/coldstart/time-line.ts';
import { inCluster } from '../support/in-cluster.ts';

// The small form of `npm run bench -- coldstart`.

describe('a cold start', { timeout: 180_000 }, () => {
  it(
    'is seen step by step, and ends with an answer',
    inCluster(async (scene) => {
      const [line, ...others] = await measureColdStarts(scene, 1);
      assert.ok(line !== undefined && others.length === 0);
      for (const step of STEPS.slice(1)) assert.ok(line[step] > line.held, step);
      assert.ok(line.created > line.planned && line['first byte'] > line.ready);
    }),
  );
});
