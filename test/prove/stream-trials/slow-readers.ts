import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { chunk, headOf, LAST_CHUNK, send, STREAM_HEAD } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Series } from '../proof.ts';
import { startEdgeProcess, type EdgeProcess } from './edge-process.ts';
import type { MemoryReport } from './edge-program.ts';
import { startStubServer } from './stub-server.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** More than the kernel's buffers on the way take, as a rule: it lets one of them grow to 32 MiB where it was read fast at first. */
const EVENT = `data: ${'x'.repeat(16 * KIB - 8)}\n\n`;
const EVENTS = 640;
/** Bytes that one client reads before it stops to read for a while. */
const SIP = 1 * KIB;
/** What may wait at the edge for one client, and by how much its memory may grow for all of them. */
const MOST_QUEUED = 256 * KIB;
const MOST_GROWTH = 128 * MIB;
const REPLICAS = 5;
/** Of so many replicas at most one may have been able to say all, or it was not the clients that were slow. */
const MOST_HAVE_TO_STOP = 5;
/** Readers before anything is measured, and every how many-th of the slow ones reads on. */
const WARM_READERS = 50;
const DRAINED = 10;

/** Says it as fast as it is taken. `true` once all is said. */
function pour(socket: net.Socket): () => boolean {
  const piece = chunk(EVENT);
  let said = 0;
  const go = (): void => {
    while (said < EVENTS && !socket.destroyed) {
      said += 1;
      if (socket.write(piece)) continue;
      socket.once('drain', go);
      return;
    }
    if (said === EVENTS) socket.write(LAST_CHUNK);
  };
  socket.write(STREAM_HEAD);
  go();
  return () => said === EVENTS;
}

/** Reads a little, and then nothing. */
async function startSlowReader(port: number, model: string): Promise<IncomingMessage> {
  const response = await headOf(send({ port }, { body: JSON.stringify({ model, stream: true }) }));
  response.on('error', () => undefined);
  await once(response, 'readable');
  response.read(SIP);
  return response;
}

/** Looks until what has been said does not grow any more: everybody has stopped. */
async function settled(said: () => number, edge: EdgeProcess): Promise<MemoryReport[]> {
  const reports: MemoryReport[] = [];
  for (let before = -1; said() !== before || reports.length < 4;) {
    before = said();
    await setTimeout(500);
    reports.push(await edge.memory());
  }
  return reports;
}

async function drain(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  response.on('data', (part: Buffer) => (bytes += part.length));
  await once(response, 'close');
  assert.ok(response.complete, 'a slow reader got a broken answer');
  return bytes;
}

/** Has the edge do once what it is to do often, so that what it needs for itself is not taken for what clients need. */
async function warmUp({ port }: EdgeProcess, readers: number): Promise<void> {
  const warm = Array.from({ length: Math.min(readers, WARM_READERS) }, async (_, index) =>
    drain(await startSlowReader(port, `model-${index % REPLICAS}`)),
  );
  await Promise.all(warm);
}

/** Clients that stop to read in the middle of their streams. Some go on later, the others leave. */
export async function trySlowReaders(t: Cleanup, readers: number): Promise<Series> {
  const pours: (() => boolean)[] = [];
  const stubs = await Promise.all(Array.from({ length: REPLICAS }, async () => startStubServer(t)));
  for (const stub of stubs) stub.serve = (socket) => pours.push(pour(socket));
  const edge = await startEdgeProcess(
    t,
    stubs.map(({ port }) => port),
  );
  await warmUp(edge, readers);
  pours.length = 0;
  const before = await edge.memory();
  const slow = await Promise.all(
    Array.from({ length: readers }, async (_, index) => startSlowReader(edge.port, `model-${index % REPLICAS}`)),
  );
  const done = (): number => pours.filter((isDone) => isDone()).length;
  const reports = await settled(done, edge);
  const failures = problemsOf(before, reports);
  if (done() * MOST_HAVE_TO_STOP > readers) failures.push(`${done()} replicas could say all of it`);
  const timings: number[] = [];
  for (const [index, reader] of slow.entries()) {
    if (index % DRAINED === 0) timings.push(await timedDrain(reader, failures));
    else reader.destroy();
  }
  const growth = Math.max(...reports.map(({ rss }) => rss)) - before.rss;
  const queue = Math.max(...reports.map(({ largestQueue }) => largestQueue));
  const what = `a client stops to read; at most ${Math.ceil(queue / KIB)} KiB wait for one, ${Math.ceil(growth / MIB)} MiB more memory for all`;
  return { what, runs: readers, failures, timed: 'the rest of one, read at once', timings };
}

async function timedDrain(reader: IncomingMessage, failures: string[]): Promise<number> {
  const begun = performance.now();
  const bytes = await drain(reader);
  if (bytes + SIP !== EVENTS * EVENT.length) failures.push(`${bytes} bytes came`);
  return performance.now() - begun;
}

const problemsOf = (before: MemoryReport, reports: readonly MemoryReport[]): string[] =>
  reports.flatMap(({ rss, largestQueue }) => [
    ...(largestQueue > MOST_QUEUED ? [`${largestQueue} bytes wait for one client`] : []),
    ...(rss - before.rss > MOST_GROWTH ? [`${rss - before.rss} bytes more memory`] : []),
  ]);
