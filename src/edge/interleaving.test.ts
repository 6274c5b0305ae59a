import assert from 'node:assert/strict';
import type http from 'node:http';
import type net from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { chatBody, chunk, LAST_CHUNK, send, startStub, STREAM_HEAD, type StubReplica } from '../testing/http-kit.ts';

/** `CORRAL_RUNS` asks for more. */
const { CORRAL_RUNS } = process.env;
const RUNS = CORRAL_RUNS === undefined ? 100 : Number(CORRAL_RUNS);

/** What may happen to requests for one model, in any order. Numbers choose which of the requests or connections. */
type Step =
  | { readonly kind: 'ask' }
  | { readonly kind: 'leave'; readonly which: number }
  | {
      readonly kind: 'publish';
      readonly table: 'none' | 'unloaded' | 'loading' | 'ready' | 'two' | 'refused' | 'again';
    }
  | { readonly kind: 'answer'; readonly which: number; readonly part: string }
  | { readonly kind: 'die'; readonly which: number }
  | { readonly kind: 'turn'; readonly turns: number };

const which = fc.nat({ max: 9 });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        table: fc.constantFrom('none', 'unloaded', 'loading', 'ready', 'two', 'refused', 'again'),
      }),
    },
    {
      weight: 3,
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
  readonly requests: http.ClientRequest[];
  readonly stubs: readonly [StubReplica, StubReplica];
}

function publish({ bed, stubs: [one, two] }: World, table: Extract<Step, { kind: 'publish' }>['table']): void {
  if (table === 'none') bed.publish();
  else if (table === 'unloaded') bed.publish({ model: 'a' });
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

async function take(world: World, step: Step): Promise<void> {
  const sockets = world.stubs.flatMap((stub): readonly net.Socket[] => stub.sockets);
  switch (step.kind) {
    case 'ask': {
      const request = send(world.bed, { body: chatBody('a') });
      request.on('error', () => undefined).on('response', (response) => response.on('error', () => undefined).resume());
      world.requests.push(request);
      return;
    }
    case 'leave':
      world.requests[step.which]?.destroy();
      return;
    case 'publish':
      publish(world, step.table);
      return;
    case 'answer':
      if (sockets[step.which]?.writable === true) sockets[step.which]?.write(step.part);
      return;
    case 'die':
      sockets[step.which]?.destroy();
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

test('whatever the order in which clients leave, tables come and replicas die, nothing stays counted', async (t: TestContext) => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const bed = await startEdge(t);
      const stubs = [await startStub(t, 'r1', () => undefined), await startStub(t, 'r2', () => undefined)] as const;
      const world: World = { bed, requests: [], stubs };
      bed.publish({ model: 'a' });
      for (const step of sequence) await take(world, step);
      await leaveAll(world);
      bed.assertIdle();
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
