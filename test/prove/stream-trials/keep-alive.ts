import { Agent } from 'node:http';
import type net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { ask, chatBody } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Extent, Series } from '../proof.ts';
import { startEdgeProcess } from './edge-process.ts';
import { startStubServer } from './stub-server.ts';

/** llama-server's own (cpp-httplib's CPPHTTPLIB_KEEPALIVE_TIMEOUT_SECOND); it says so in every answer. */
const REPLICA_IDLE = 5000;
/** Requests that a replica answers over one connection (llama-server: 100); the last answer says that it is the last, as cpp-httplib's does. */
const REQUESTS_PER_CONNECTION = 20;
const REPLICAS = 12;
const WIDTH = 120;
/** Pauses that are drawn for each replica, taken in turn. */
const PAUSES = 64;

/**
 * Milliseconds between requests. Many are about as long as the edge keeps a connection that is idle (3 s: two less than the
 * replica announces), where it closes while requests come. Some are about as long as the replica keeps it.
 */
const pauses = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 2900, max: 3020 }) },
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 2900 }) },
  { weight: 1, arbitrary: fc.integer({ min: REPLICA_IDLE - 100, max: REPLICA_IDLE + 100 }) },
);

/** What the replicas have seen. */
interface Seen {
  requests: number;
  connections: number;
  /** Connections that the replica closed, because they were idle or had served their last request. */
  closed: number;
}

const ANSWER = '{"ok":true}';
const head = (connection: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ANSWER.length}\r\n${connection}\r\n\r\n`;
const KEPT = head(`Keep-Alive: timeout=${REPLICA_IDLE / 1000}, max=${REQUESTS_PER_CONNECTION}`);
const CLOSED = head('Connection: close');

/** A replica's side of its connections. */
class IdleCloser {
  readonly seen: Seen = { requests: 0, connections: 0, closed: 0 };
  readonly #states = new WeakMap<net.Socket, { requests: number; timer: NodeJS.Timeout | undefined }>();

  serve(socket: net.Socket): void {
    const state = this.#stateOf(socket);
    clearTimeout(state.timer);
    state.requests += 1;
    this.seen.requests += 1;
    const isLast = state.requests === REQUESTS_PER_CONNECTION;
    socket.write((isLast ? CLOSED : KEPT) + ANSWER);
    if (isLast) this.#close(socket);
    else
      state.timer = setTimeout(() => {
        this.#close(socket);
      }, REPLICA_IDLE);
  }

  #stateOf(socket: net.Socket): { requests: number; timer: NodeJS.Timeout | undefined } {
    const known = this.#states.get(socket);
    if (known !== undefined) return known;
    const state: { requests: number; timer: NodeJS.Timeout | undefined } = { requests: 0, timer: undefined };
    this.#states.set(socket, state);
    this.seen.connections += 1;
    socket.once('close', () => {
      clearTimeout(state.timer);
    });
    return state;
  }

  #close(socket: net.Socket): void {
    this.seen.closed += 1;
    socket.end();
  }
}

async function startReplica(t: Cleanup): Promise<{ readonly port: number; readonly seen: Seen }> {
  const [stub, closer] = [await startStubServer(t), new IdleCloser()];
  stub.serve = (socket) => {
    closer.serve(socket);
  };
  return { port: stub.port, seen: closer.seen };
}

/** What came of the requests, so far. */
interface Tally {
  readonly failures: string[];
  readonly timings: number[];
}

/** Requests over connections that were idle for about as long as the edge or the replica keeps them, until `runs` used one again. */
export async function tryKeepAlive(t: Cleanup, { runs, seed }: Extent): Promise<Series> {
  const width = Math.min(REPLICAS, Math.ceil(runs / WIDTH));
  const replicas = await Promise.all(Array.from({ length: width }, async () => startReplica(t)));
  const edge = await startEdgeProcess(
    t,
    replicas.map(({ port }) => port),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: width * WIDTH });
  t.after(async () => {
    agent.destroy();
    return Promise.resolve();
  });
  const tally: Tally = { failures: [], timings: [] };
  const drawn = fc.sample(pauses, { numRuns: width * PAUSES, seed });
  await Promise.all(
    replicas.map(async ({ seen }, index) => {
      const ask = async (): Promise<void> => askOnce({ port: edge.port, model: `model-${index}`, agent }, tally);
      await askInTurn(ask, drawn.slice(index * PAUSES, (index + 1) * PAUSES), () => reusesOf(seen) * width >= runs);
    }),
  );
  const all = replicas.map(({ seen }) => seen);
  const sum = (count: (seen: Seen) => number): number => all.reduce((total, seen) => total + count(seen), 0);
  const [reused, closed] = [sum(reusesOf), sum((seen) => seen.closed)];
  const what = `a request after a pause about as long as connections are kept; ${reused} over a used one, ${closed} were closed by the replica`;
  return {
    what,
    runs: sum(({ requests }) => requests),
    failures: tally.failures,
    timed: 'a request',
    timings: tally.timings,
  };
}

const reusesOf = ({ requests, connections }: Seen): number => requests - connections;

/** Many at once, a pause, and again. */
async function askInTurn(ask: () => Promise<void>, idle: readonly number[], isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn += 1) {
    await Promise.all(Array.from({ length: WIDTH }, ask));
    await pause(idle[turn % idle.length]);
  }
}

interface Asked {
  readonly port: number;
  readonly model: string;
  readonly agent: Agent;
}

async function askOnce({ port, model, agent }: Asked, { failures, timings }: Tally): Promise<void> {
  const begun = performance.now();
  try {
    const { status, text } = await ask({ port }, { body: chatBody(model), agent });
    if (status === 200 && text === ANSWER) timings.push(performance.now() - begun);
    else failures.push(`status ${status}: ${text}`);
  } catch (error) {
    failures.push(String(error));
  }
}
