import { withCleanup } from '../support/cleanup-stack.ts';
import type { Proof } from './proof.ts';
import { tryDeaths } from './stream-trials/deaths.ts';
import { tryDepartures } from './stream-trials/departures.ts';
import { tryIntegrity } from './stream-trials/integrity.ts';
import { tryKeepAlive } from './stream-trials/keep-alive.ts';
import { trySlowReaders } from './stream-trials/slow-readers.ts';

const SLOW_READERS = 500;
/** Connections that are used again, for each run of the others. */
const REUSES = 10;

/** The edge between raw-socket replicas that break and clients that leave or are slow. It needs no llama-server. */
export const proveStreams: Proof = async ({ runs, seed }) => [
  await withCleanup(async (t) => tryDeaths(t, { runs, seed })),
  ...(await withCleanup(async (t) => tryDepartures(t, { runs, seed }))),
  await withCleanup(async (t) => tryIntegrity(t, { runs, seed })),
  await withCleanup(async (t) => trySlowReaders(t, SLOW_READERS)),
  await withCleanup(async (t) => tryKeepAlive(t, { runs: REUSES * runs, seed })),
];
