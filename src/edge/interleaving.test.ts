import assert from 'node:assert/strict';
import type http from 'node:http';
import type net from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { milliseconds } from '../domain/units.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import {
  chunk,
  LAST_CHUNK,
  readAnswer,
  send,
  startStub,
  STREAM_HEAD,
  type Got,
  type StubReplica,
} from '../testing/http-kit.ts';

/** `CORRAL_RUNS` asks for more. */
const { CORRAL_RUNS } = process.env;
const RUNS = CORRAL_RUNS === undefined ? 100 : Number(CORRAL_RUNS);

/** What may happen to requests for one model, in any order. Numbers choose which of the requests or connections. */
type Step =
  | { readonly kind: 'ask'; readonly path: string; readonly stream: boolean }
  /** Whoever waits for a stream gets a sign of life. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'leave'; readonly which: number }
  | {
      readonly kind: 'publish';
      readonly table: 'none' | 'unloaded' | 'impatient' | 'loading' | 'ready' | 'two' | 'refused' | 'again';
    }
  | { readonly kind: 'answer'; readonly which: number; readonly part: string }
  | { readonly kind: 'die'; readonly which: number }
  | { readonly kind: 'turn'; readonly turns: number };

const which = fc.nat({ max: 4 });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('ask' as const),
        path: fc.constantFrom('/v1/chat/completions', '/v1/messages'),
        stream: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('beat' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        table: fc.constantFrom('none', 'unloaded', 'impatient', 'loading', 'ready', 'two', 'refused', 'again'),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        which,
        part: fc.constantFrom(
          STREAM_HEAD,
          STREAM_HEAD + chunk('data: 1\n\n'),
          STREAM_HEAD + LAST_CHUNK,
          chunk('x'),
          LAST_CHUNK,
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), which }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('turn' as const), turns: fc.integer({ min: 1, max: 12 }) }) },
  ),
  { minLength: 10, maxLength: 40, size: 'max' },
);

interface World {
  readonly bed: EdgeBed;
  readonly answers: Got[];
  readonly beat: () => void;
  readonly requests: http.ClientRequest[];
  readonly stubs: readonly [StubReplica, StubReplica];
}

function publish({ bed, stubs: [one, two] }: World, table: Extract<Step, { kind: 'publish' }>['table']): void {
  if (table === 'none') bed.publish();
  else if (table === 'unloaded') bed.publish({ model: 'a' });
  else if (table === 'impatient') bed.publish({ model: 'a', maxWait: milliseconds(0) });
  else if (table === 'loading') bed.publish({ model: 'a', phase: { kind: 'loading' } });
  else if (table === 'ready') bed.publish({ model: 'a', replicas: [one.replica] });
  else if (table === 'two') bed.publish({ model: 'a', replicas: [one.replica, two.replica] });
  else if (table === 'refused') bed.publish({ model: 'a', refusal: { kind: 'pool-paused', pool: 'p' } });
  else bed.publish({ model: 'a', uid: 'another-life', replicas: [two.replica] });
}

/** Lets everything that is under way on the loop go on a little. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function askAs({ bed, requests, answers }: World, { path, stream }: Extract<Step, { kind: 'ask' }>): void {
  const request = send(bed, { path, body: JSON.stringify({ model: 'a', stream }) });
  request.on('error', () => undefined);
  const { whole } = readAnswer(request);
  whole.then((got) => answers.push(got)).catch(() => undefined);
  requests.push(request);
}

function act(socket: net.Socket | undefined, step: Extract<Step, { kind: 'answer' | 'die' }>): void {
  if (step.kind === 'die') socket?.destroy();
  else if (socket?.writable === true) socket.write(step.part);
}

async function take(world: World, step: Step): Promise<void> {
  const sockets = world.stubs.flatMap((stub): readonly net.Socket[] => stub.sockets);
  switch (step.kind) {
    case 'ask':
      askAs(world, step);
      return;
    case 'beat':
      world.beat();
      return;
    case 'leave':
      world.requests[step.which]?.destroy();
      return;
    case 'publish':
      publish(world, step.table);
      return;
    case 'answer':
    case 'die':
      act(sockets[step.which], step);
      return;
    case 'turn':
      await turns(step.turns);
  }
}

/** Everybody who is still there leaves; then nothing may be counted, whatever happened before. */
async function leaveAll({ bed, requests }: World): Promise<void> {
  for (const request of requests) request.destroy();
  const visits = bed.lines.filter(({ message }) => message === 'request').length;
  assert.ok(visits <= requests.length, `${visits} ends of ${requests.length} requests`);
  const connections = async (): Promise<number> =>
    new Promise((resolve, reject) => {
      bed.edge.server.getConnections((error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  await turns(2);
  while ((await connections()) > 0) await turns(1);
  await turns(1);
}

const HEARTBEATS = /^(?:: waiting\n\n|event: ping\ndata: \{"type":"ping"\}\n\n)*/u;

/** Signs of life come before everything else only, and what ends with an error never looks whole. */
function judge({ text, broken, headers }: Got): void {
  if (headers['content-type'] !== 'text/event-stream') return;
  const rest = text.replace(HEARTBEATS, '');
  assert.doesNotMatch(rest, /waiting|ping/u);
  if (!broken) assert.doesNotMatch(rest, /"error"/u);
}

test('whatever the order in which clients leave, tables come, waits expire and replicas die, each request ends once and nothing stays counted', async (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const beat = (): void => {
    t.mock.timers.tick(10_000);
  };
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const bed = await startEdge(t);
      let arrived = 0;
      bed.edge.server.on('request', () => (arrived += 1));
      const stubs = [await startStub(t, 'r1', () => undefined), await startStub(t, 'r2', () => undefined)] as const;
      const world: World = { bed, answers: [], beat, requests: [], stubs };
      bed.publish({ model: 'a' });
      for (const step of sequence) await take(world, step);
      await leaveAll(world);
      bed.assertIdle();
      world.answers.forEach(judge);
      assert.equal(bed.lines.filter(({ message }) => message === 'request').length, arrived);
      assert.deepEqual(
        bed.lines.filter(({ level }) => level === 'error'),
        [],
      );
      for (const stub of stubs) await stub.stop();
      await bed.edge.shutdown();
    }),
    { numRuns: RUNS },
  );
});
