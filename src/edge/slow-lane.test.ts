import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { instant } from '../domain/units.ts';
import { startEdge, type EdgeBed } from '../testing/edge-testbed.ts';
import { SlowLane, type Waitable } from './slow-lane.ts';

/** A connection of which a test says what it brings. */
class FakeConnection implements Waitable {
  destroyed = false;
  bytesRead = 0;
  isPaused = false;
  /** What comes as soon as it is read. */
  unread = 0;
  pauses = 0;

  pause(): this {
    this.isPaused = true;
    this.pauses += 1;
    return this;
  }

  resume(): this {
    this.isPaused = false;
    this.bytesRead += this.unread;
    this.unread = 0;
    return this;
  }
}

/** A lane, some connections and a clock that stands still unless it is moved. */
function setUp(t: TestContext, many: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = { now: 0, each: 0 };
  const lane = new SlowLane(() => instant((clock.now += clock.each)));
  const connections = Array.from({ length: many }, () => new FakeConnection());
  const paused = (): number[] => connections.flatMap(({ isPaused }, index) => (isPaused ? [index] : []));
  const refuseAll = (): void => {
    for (const connection of connections) lane.add(connection);
  };
  /** Up to the look, and to the end of the turn in which it is. */
  const look = async (): Promise<readonly number[]> => {
    const before = paused();
    t.mock.timers.tick(1);
    const opened = before.filter((index) => connections[index]?.isPaused === false);
    await nextTurn();
    return opened;
  };
  return { clock, lane, connections, paused, refuseAll, look };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('the slow lane', () => {
  it('is not for those who are refused now and then', (t) => {
    const { clock, paused, refuseAll } = setUp(t, 100);
    clock.each = 0.125;
    refuseAll();
    assert.deepEqual(paused(), []);
  });

  it('is for all who are refused, once there are more than a few in a millisecond, until nobody is in it', async (t) => {
    const { clock, lane, connections, paused, refuseAll, look } = setUp(t, 12);
    refuseAll();
    assert.deepEqual(paused(), range(8, 12));
    clock.now = 1000;
    for (const connection of connections) connection.unread = 1;
    assert.deepEqual(await look(), range(8, 12));
    assert.deepEqual(paused(), []);
    for (const connection of connections.slice(0, 8)) lane.add(connection);
    assert.deepEqual(paused(), []);
  });

  it('reads some at a time, in turn; who has brought nothing comes again at the end', async (t) => {
    const { connections, paused, refuseAll, look } = setUp(t, 28);
    refuseAll();
    for (const connection of connections.slice(8, 11)) connection.unread = 1;
    assert.deepEqual(await look(), range(8, 16));
    assert.deepEqual(paused(), range(11, 28));
    assert.deepEqual(await look(), range(16, 24));
    assert.deepEqual((await look()).toSorted(), [...range(11, 15), ...range(24, 28)].toSorted());
  });

  it('reads fewer when a look takes longer than half a millisecond, but never none, and more when it does not', async (t) => {
    const { clock, connections, lane, look } = setUp(t, 64);
    const looks = async (count: number, takes: number): Promise<number> => {
      let opened = 0;
      for (let made = 0; made < count; made += 1) {
        clock.each = 0;
        for (const connection of connections) {
          if (!connection.isPaused) lane.add(connection);
          connection.unread = 1;
        }
        clock.each = takes;
        opened = (await look()).length;
      }
      return opened;
    };
    assert.equal(await looks(1, 0), 8);
    assert.equal(await looks(40, 0), 32);
    assert.equal(await looks(10, 0.75), 23);
    assert.equal(await looks(40, 0.75), 4);
    assert.equal(await looks(3, 0.25), 6);
  });

  it('lets go of those who send nothing any more, and of those who have left', async (t) => {
    const { connections, paused, refuseAll, look } = setUp(t, 11);
    refuseAll();
    for (const connection of connections.slice(10)) connection.destroyed = true;
    for (let looks = 0; looks < 2; looks += 1)
      assert.deepEqual(
        [await look(), paused()],
        [
          [8, 9],
          [8, 9, 10],
        ],
      );
    assert.deepEqual([await look(), paused()], [[8, 9], [10]]);
    assert.deepEqual([await look(), connections[10]?.pauses], [[], 1]);
  });

  it('looks at everybody in 50 ms, however many there are and however rarely the event loop turns', async (t) => {
    const { clock, refuseAll, look } = setUp(t, 1008);
    refuseAll();
    const lookAfter = async (ms: number): Promise<number> => {
      clock.now += ms;
      return (await look()).length;
    };
    assert.deepEqual([await lookAfter(1), await lookAfter(5), await lookAfter(50)], [20, 100, 1000]);
  });

  it('lets everybody go when it is closed, and nobody in again', (t) => {
    const { lane, connections, paused, refuseAll } = setUp(t, 20);
    refuseAll();
    assert.deepEqual(lane.close(), connections.slice(8));
    assert.deepEqual(paused(), []);
    refuseAll();
    assert.deepEqual(paused(), []);
  });
});

const REFUSED = 'GET /v1/models/nobody HTTP/1.1\r\nHost: x\r\n\r\n';
const MANY = 100;

/**
 * Many who have each been refused, all in one millisecond, since the clock of the edge stands still: but for the first few they are in
 * the lane, and nobody looks at them before the test says so.
 */
async function flood(t: TestContext): Promise<{ bed: EdgeBed; flooders: net.Socket[]; look: () => Promise<void> }> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const bed = await startEdge(t, { now: () => instant(0) });
  const flooders = Array.from({ length: MANY }, () => net.connect(bed.port, '127.0.0.1').setEncoding('latin1'));
  t.after(() => {
    for (const socket of flooders) socket.destroy();
  });
  await Promise.all(flooders.map(askInVain));
  const look = async (): Promise<void> => {
    t.mock.timers.tick(1);
    await nextTurn();
  };
  return { bed, flooders, look };
}

async function askInVain(socket: net.Socket): Promise<void> {
  socket.write(REFUSED);
  const [text] = (await once(socket, 'data')) as [string];
  assert.match(text, /^HTTP\/1\.1 404 [^]*"model_not_found"\}\}$/);
}

test('who floods with requests that are refused holds nobody up, and is answered all the same', async (t) => {
  const { bed, flooders, look } = await flood(t);
  const other = net.connect(bed.port, '127.0.0.1');
  t.after(() => other.destroy());
  await once(other, 'connect');
  let [ahead, answered] = [0, 0];
  const isReached = new Promise<void>((resolve) => {
    bed.edge.server.on('request', ({ url }: { url: string }) => {
      if (url === '/health') resolve();
      else ahead += 1;
    });
  });
  const all = flooders.map(async (socket) => {
    await askInVain(socket);
    answered += 1;
  });
  other.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await isReached;
  assert.ok(ahead <= 8, `${ahead} were read before`);
  while (answered < MANY) await look();
  await Promise.all(all);
});

test('who leaves after a flood is noticed, and a shutdown waits for nobody', async (t) => {
  const { bed, flooders, look } = await flood(t);
  const [leaves, ...rest] = flooders;
  leaves?.resetAndDestroy();
  for (const socket of rest.slice(0, 50)) socket.end();
  const left = async (): Promise<number> =>
    new Promise((resolve, reject) => {
      bed.edge.server.getConnections((error, count) => {
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  while ((await left()) > MANY - 51) await look();
  await bed.edge.shutdown();
});

test('what somebody has sent whom nobody has read yet is answered by a shutdown, and not reset', async (t) => {
  const { bed, flooders } = await flood(t);
  // Those that are not in the lane may have been read or not.
  const [open, unread] = [flooders.slice(0, 8), flooders.slice(8)];
  for (const socket of open) socket.destroy();
  const answers = unread.map(async (socket) => {
    socket.write(REFUSED);
    const [text] = (await once(socket, 'data')) as [string];
    return text.slice('HTTP/1.1 '.length, 'HTTP/1.1 404'.length);
  });
  const shutdown = bed.edge.shutdown();
  const statuses = new Set(await Promise.all(answers));
  await shutdown;
  assert.deepEqual([...statuses], ['503']);
});
