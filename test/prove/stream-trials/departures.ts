import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { milliseconds } from '../../../src/domain/units.ts';
import { chunk, headOf, send, STREAM_HEAD } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Extent, Series } from '../proof.ts';
import { setEdgeStage, type Lane } from './edge-stage.ts';
import { tryOnLanes } from './try-on-lanes.ts';

/** A client that leaves. */
interface Departure {
  readonly stream: boolean;
  /** Not before it has had a sign of life, where there are any. */
  readonly late: boolean;
  readonly how: 'close' | 'reset';
  readonly path: string;
}

const departures: fc.Arbitrary<Departure> = fc.record({
  stream: fc.boolean(),
  late: fc.boolean(),
  how: fc.constantFrom('close' as const, 'reset' as const),
  path: fc.constantFrom('/v1/chat/completions', '/v1/messages', '/completion'),
});

/** Gets a client into the phase in which it is to leave, and resolves with the replica's side of it, if there is one. */
type Enter = (lane: Lane, request: http.ClientRequest, departure: Departure) => Promise<net.Socket | undefined>;

const PHASES: ReadonlyMap<string, { readonly ready: boolean; readonly enter: Enter }> = new Map([
  ['while it is queued', { ready: false, enter: queue }],
  ['before its answer begins', { ready: true, enter: arrive }],
  ['in the middle of its answer', { ready: true, enter: begin }],
]);

async function queue(lane: Lane, request: http.ClientRequest, { stream, late }: Departure): Promise<undefined> {
  await lane.waiter();
  if (stream && late) await firstBytes(request);
  return undefined;
}

async function arrive(lane: Lane): Promise<net.Socket> {
  const { promise, resolve } = Promise.withResolvers<net.Socket>();
  lane.stub.serve = resolve;
  return promise;
}

async function begin(lane: Lane, request: http.ClientRequest, { stream }: Departure): Promise<net.Socket> {
  const bytes = firstBytes(request);
  const socket = await arrive(lane);
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n';
  socket.write(stream ? STREAM_HEAD + chunk('data: 1\n\n') : `${head}{"a":`);
  await bytes;
  return socket;
}

async function firstBytes(request: http.ClientRequest): Promise<void> {
  const response = await headOf(request);
  response.on('error', () => undefined);
  await once(response, 'data');
}

async function tryDeparture(lane: Lane, phase: string, departure: Departure): Promise<number> {
  const found = PHASES.get(phase);
  assert.ok(found !== undefined);
  if (!found.ready) lane.setReady(false);
  const requests = lane.stub.requests;
  const body = JSON.stringify({ model: lane.model, stream: departure.stream });
  const request = send(lane.edge, { path: departure.path, body });
  request.on('error', () => undefined);
  const upstream = await found.enter(lane, request, departure);
  const end = lane.end();
  const closed = upstream === undefined ? undefined : once(upstream, 'close');
  const left = performance.now();
  if (departure.how === 'close') request.destroy();
  else if (request.socket instanceof net.Socket) request.socket.resetAndDestroy();
  const ended = await end;
  // In the moment in which it is recorded: nothing may be freed later than that.
  lane.assertFree();
  await closed;
  const took = performance.now() - left;
  assert.equal(ended.complete, false, 'it is recorded as complete');
  if (!found.ready) lane.setReady(true);
  assert.equal(lane.stub.requests - requests, found.ready ? 1 : 0, 'requests that its replica got');
  return took;
}

const LANES = 24;
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** Clients that leave in one phase after the other. Whatever is not given back leaves no room for those that come later. */
export async function tryDepartures(t: Cleanup, { runs, seed }: Extent): Promise<Series[]> {
  const lanes = await setEdgeStage(t, LANES, { heartbeatInterval: milliseconds(5) });
  const trials = fc.sample(departures, { numRuns: runs, seed });
  const all: Series[] = [];
  for (const phase of PHASES.keys()) {
    const before = timers();
    const tried = await tryOnLanes(lanes, trials, async (lane, trial) => tryDeparture(lane, phase, trial));
    const left = timers() - before;
    const failures = left > 0 ? [...tried.failures, `${left} timers are left`] : tried.failures;
    const timed = 'until all of it is given back';
    all.push({ what: `a client leaves ${phase}`, runs, failures, timed, timings: tried.timings });
  }
  return all;
}
