/**
 * Loaded into a contestant by `node --import`: tells over a socket (its path is in EDGE_BENCH_PROBE) how long the event
 * loop stood still, and takes profiles. It imports nothing of ours, and little of Node: it is in what is measured.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Session } from 'node:inspector/promises';

const NANOSECONDS_PER_MS = 1e6;
/** Microseconds between two looks of the profiler. */
const INTERVAL = 200;

const delays = monitorEventLoopDelay({ resolution: 1 });
let session: Session | undefined;

async function startProfile(): Promise<void> {
  const inspector = await import('node:inspector/promises');
  session = new inspector.Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
  await session.post('Profiler.start');
}

async function stopProfile(path: string): Promise<void> {
  if (session === undefined) throw new Error('no profile was begun');
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(path, JSON.stringify(profile));
}

/** One order at a time; the answer is a number. */
async function obey(line: string): Promise<number> {
  const [order, path = ''] = line.trim().split(' ');
  if (order === 'watch') {
    delays.enable();
    delays.reset();
  }
  if (order === 'profile') await startProfile();
  if (order === 'write') await stopProfile(path);
  return order === 'stall' ? delays.max / NANOSECONDS_PER_MS : 0;
}

const server = createServer((socket) => {
  socket.unref();
  socket.setEncoding('utf8').on('data', (line: string) => {
    void obey(line).then((figure) => socket.write(`${figure}\n`));
  });
});
server.listen(process.env['EDGE_BENCH_PROBE']).unref();
