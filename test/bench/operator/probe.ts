/**
 * Loaded into the operator by `node --import`: tells whoever connects to a socket (its path is in OPERATOR_BENCH_PROBE) how long
 * the event loop has kept timers waiting since somebody last asked. Its own metrics look too rarely for that. Who says `rest` there
 * has it look no more until it is next asked: a hundred looks a second take more of a core than an operator that has nothing to do.
 */
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds from one look to the next, which is no delay. */
const RESOLUTION = 10;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
delays.enable();
const inMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);

const server = createServer((socket) => {
  socket.unref();
  socket.once('data', (word) => {
    socket.end(JSON.stringify({ p99: inMs(delays.percentile(99)), max: inMs(delays.max) }));
    delays.reset();
    if (word.toString() === 'rest') delays.disable();
    else delays.enable();
  });
});
server.listen(process.env['OPERATOR_BENCH_PROBE']).unref();
