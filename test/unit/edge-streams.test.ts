import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testSeed } from '../../src/testing/seed.ts';
import type { Series } from '../prove/proof.ts';
import { tryDeaths } from '../prove/stream-trials/deaths.ts';
import { tryDepartures } from '../prove/stream-trials/departures.ts';
import { tryIntegrity } from '../prove/stream-trials/integrity.ts';
import { tryKeepAlive } from '../prove/stream-trials/keep-alive.ts';
import { trySlowReaders } from '../prove/stream-trials/slow-readers.ts';

// Many more of each: `npm run prove -- streams`.
const TRIALS = 200;
const SLOW_READERS = 10;

const assertNoFailure = ({ runs, failures }: Series): void => {
  assert.deepEqual(failures, []);
  assert.ok(runs > 0);
};

describe('the edge, many times', { concurrency: false }, () => {
  it('shows every death of a replica in the middle of its answer, and asks nobody twice', async (t) => {
    assertNoFailure(await tryDeaths(t, { runs: TRIALS, seed: testSeed() }));
  });

  it('gives everything back when a client leaves, whenever that is', async (t) => {
    for (const series of await tryDepartures(t, { runs: TRIALS, seed: testSeed() })) assertNoFailure(series);
  });

  it('passes streams on byte for byte, however they are cut', async (t) => {
    assertNoFailure(await tryIntegrity(t, { runs: TRIALS, seed: testSeed() }));
  });

  it('keeps little for clients that do not read', async (t) => {
    assertNoFailure(await trySlowReaders(t, SLOW_READERS));
  });

  it('uses no connection again that its replica closes meanwhile', async (t) => {
    assertNoFailure(await tryKeepAlive(t, { runs: TRIALS, seed: testSeed() }));
  });
});
