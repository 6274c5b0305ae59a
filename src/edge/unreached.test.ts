import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, test } from 'node:test';
import { presetUid, replicaId } from '../domain/ids.ts';
import { instant, milliseconds } from '../domain/units.ts';
import type { ReadyReplica } from '../routing/route.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { answer, chat, chatBody, closedPort, errorOf, replicaAt, send, startStub } from '../testing/http-kit.ts';
import { Unreached } from './unreached.ts';

describe('what a request knows of replicas that did not listen', () => {
  it('pauses for longer each time, and not beyond its end', () => {
    const unreached = new Unreached(instant(6000));
    const pauses = [0, 250, 750, 1750, 3750, 5750].map((at) => unreached.nextPause(instant(at)));
    assert.deepEqual(pauses, [250, 500, 1000, 2000, 2000, 250]);
    assert.equal(unreached.nextPause(instant(7000)), 0);
  });

  it('is over at its end', () => {
    const unreached = new Unreached(instant(6000));
    assert.deepEqual([unreached.isOver(instant(5999)), unreached.isOver(instant(6000))], [false, true]);
  });

  it('avoids each of them until it forgives all', () => {
    const unreached = new Unreached(instant(6000));
    unreached.avoid(replicaId('a'));
    unreached.avoid(replicaId('b'));
    assert.deepEqual([...unreached.avoided], ['a', 'b']);
    unreached.forgive();
    assert.equal(unreached.avoided.size, 0);
  });
});

/** Counts how often a request was sent to a replica. */
function countTries({ ledger }: EdgeBed, { id }: ReadyReplica): () => number {
  let [tries, wasThere] = [0, false];
  ledger.onChange(() => {
    const isThere = ledger.inFlight(id) > 0;
    if (isThere && !wasThere) tries += 1;
    wasThere = isThere;
  });
  return () => tries;
}

const failures = (bed: EdgeBed): number =>
  bed.lines.filter(({ message }) => message === 'replica failed a request').length;

test('a replica where nobody listens any more costs nobody an answer: the other one is asked', async (t) => {
  const bed = await startEdge(t);
  const dead = replicaAt('dead', await closedPort());
  const stub = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [dead, stub.replica] });
  assert.equal((await chat(bed, 'a')).status, 200);
  await bed.ended(1);
  bed.assertIdle();
});

test('a request that finds its only replica dead waits for the next one, and stays reserved meanwhile', async (t) => {
  const bed = await startEdge(t);
  const dead = replicaAt('dead', await closedPort());
  const stub = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{}')));
  let looked = 0;
  bed.ledger.onChange(() => {
    const uid = presetUid('uid-a');
    const counted = bed.ledger.demand(uid) !== undefined || bed.ledger.activity(uid).kind === 'busy';
    if (!counted && looked >= 0) looked += 1;
  });
  bed.publish({ model: 'a', replicas: [dead] });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a' });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await waiting).status, 200);
  await bed.ended(1);
  assert.equal(looked, 1, 'only at its end did the model look unused');
  bed.assertIdle();
});

test('a request whose only replica begins to listen late is answered', async (t) => {
  const bed = await startEdge(t);
  const port = await closedPort();
  bed.publish({ model: 'a', replicas: [replicaAt('late', port)] });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  const server = net.createServer((socket) => {
    socket.once('data', () => socket.end(answer('{}')));
  });
  t.after(() => server.close());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const got = await waiting;
  assert.equal(got.status, 200);
  assert.ok(Number(got.headers['x-corral-queue-ms']) > 0, 'it was held');
  await bed.ended(1);
  bed.assertIdle();
});

test('a replica that nobody listens at is tried until --reach-timeout is over, then it is 502; the log has it once', async (t) => {
  let now = 0;
  const bed = await startEdge(t, { now: () => instant(now) });
  const dead = replicaAt('dead', await closedPort());
  bed.publish({ model: 'a', replicas: [dead] });
  const tries = countTries(bed, dead);
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  now = 30_000;
  const got = await waiting;
  assert.deepEqual([got.status, errorOf(got).get('code')], [502, 'upstream_failed']);
  assert.deepEqual([tries(), failures(bed)], [2, 1]);
  await bed.ended(1);
  bed.assertIdle();
});

test('the time begins anew when the table has known that there is no replica', async (t) => {
  let now = 0;
  const bed = await startEdge(t, { now: () => instant(now) });
  const stub = await startStub(t, 'r2', (_request, socket) => socket.write(answer('{}')));
  const dead = replicaAt('dead', await closedPort());
  bed.publish({ model: 'a', replicas: [dead] });
  const waiting = chat(bed, 'a');
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a' });
  now = 31_000;
  bed.publish({ model: 'a', replicas: [dead] });
  await bed.held('uid-a', 0);
  await bed.held('uid-a', 1);
  bed.publish({ model: 'a', replicas: [dead, stub.replica] });
  assert.equal((await waiting).status, 200);
});

test('with --reach-timeout 0 each replica is tried once, and then it is 502', async (t) => {
  const bed = await startEdge(t, { limits: { reachTimeout: milliseconds(0) } });
  const dead = [replicaAt('one', await closedPort()), replicaAt('two', await closedPort())];
  bed.publish({ model: 'a', replicas: dead });
  const tries = dead.map((replica) => countTries(bed, replica));
  const got = await chat(bed, 'a');
  assert.deepEqual([got.status, errorOf(got).get('code')], [502, 'upstream_failed']);
  assert.deepEqual(
    tries.map((count) => count()),
    [1, 1],
  );
  const stub = await startStub(t, 'r3', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [...dead, stub.replica] });
  for (let request = 0; request < 3; request += 1) assert.equal((await chat(bed, 'a')).status, 200);
  await bed.ended(4);
  bed.assertIdle();
});

test('a client that leaves while its request is held for a replica that does not listen frees everything', async (t) => {
  const bed = await startEdge(t);
  bed.publish({ model: 'a', replicas: [replicaAt('dead', await closedPort())] });
  const leaving = send(bed, { body: chatBody('a') });
  leaving.on('error', () => undefined);
  await bed.held('uid-a', 1);
  leaving.destroy();
  await bed.ended(1);
  bed.assertIdle();
});
