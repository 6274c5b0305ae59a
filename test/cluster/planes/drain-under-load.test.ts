import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testSeed } from '../../../src/testing/seed.ts';
import { playOnStage } from '../../prove/drain-trials/play.ts';
import { small } from '../../prove/drain-trials/small-play.ts';

// The small form of `npm run prove -- drain`. The control plane is its own: operators of two tests would be rivals.

const EVICTIONS = 30;
const SIZE = { edges: 3, clients: 6, models: 12, room: 4, idleTimeout: '0s' };

describe('evictions under load', { timeout: 240_000 }, () => {
  it('cut nothing and fail nothing, whatever happens to an edge, to its way to the API server, to that server, and to the leader', async () => {
    const series = await playOnStage(small, { runs: EVICTIONS, seed: testSeed() }, SIZE);
    for (const { what, failures } of series) assert.deepEqual(failures, [], what);
    assert.ok(series.some(({ what }) => what.startsWith('the API server is away')));
    assert.ok((series.at(0)?.runs ?? 0) >= EVICTIONS, 'there were fewer evictions');
  });
});
