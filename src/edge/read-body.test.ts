import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { BoundedCount } from './bounded-count.ts';
import { BodyShare, BYTES_PER_TURN, readBody, type ReadBody } from './read-body.ts';

const PIECE = 64 * 1024;

/** A request whose whole body has arrived, and `pieces` of it, before anybody looks. */
function requestWith(pieces: number): IncomingMessage {
  const stream = new Readable({ read: () => undefined, highWaterMark: 1e9 });
  for (let piece = 0; piece < pieces; piece += 1) stream.push(Buffer.alloc(PIECE, 'x'));
  stream.push(null);
  // A real one needs a socket, from which its pieces would come in turns; of a request, only these two are read.
  return Object.assign(stream, { headers: {} }) as unknown as IncomingMessage;
}

async function read(req: IncomingMessage, look: (size: number) => void): Promise<ReadBody> {
  const bounds = { share: new BodyShare(new BoundedCount(1e9)), maxBytes: 1e9 };
  const reader = {
    read: (_bytes: Buffer, size: number) => {
      look(size);
    },
  };
  return new Promise((resolve) => {
    readBody(req, bounds, reader, resolve);
  });
}

test('a large body that is there at once is read in turns, and others have theirs in between', async () => {
  let turn = 0;
  let over = false;
  const count = (): void => {
    turn += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const turns: number[] = [];
  const body = await read(requestWith(40), () => turns.push(turn));
  over = true;
  assert.equal(body.kind === 'read' && body.body.length, 40 * PIECE);
  const pieces = [...Map.groupBy(turns, (at) => at).values()].map(({ length }) => length);
  assert.deepEqual(pieces, Array<number>(10).fill(BYTES_PER_TURN / PIECE));
});

test('what still comes of a request that has ended is not counted, and not read', async () => {
  const budget = new BoundedCount(1e9);
  const share = new BodyShare(budget);
  const sizes: number[] = [];
  const reader = {
    read: (_bytes: Buffer, size: number) => {
      sizes.push(size);
      share.release();
    },
  };
  const outcome = await new Promise<ReadBody>((resolve) => {
    readBody(requestWith(3), { share, maxBytes: 1e9 }, reader, resolve);
  });
  assert.equal(outcome.kind, 'gone');
  assert.deepEqual([sizes, budget.count, share.all], [[PIECE], 0, PIECE]);
});

test('the reader sees each piece as it comes, after those of before', async () => {
  const sizes: number[] = [];
  await read(requestWith(3), (size) => sizes.push(size));
  assert.deepEqual(sizes, [PIECE, 2 * PIECE, 3 * PIECE]);
});

test('a client that leaves while its body waits for its turn is gone', async () => {
  const req = requestWith(40);
  const outcome = await read(req, (size) => {
    if (size === BYTES_PER_TURN) req.destroy();
  });
  assert.equal(outcome.kind, 'gone');
});

test('a body that was read keeps nothing of its reading alive, however long the answer takes', async () => {
  const req = requestWith(3);
  const events = ['data', 'end', 'close'];
  const before = events.map((event) => req.listenerCount(event));
  await read(req, () => undefined);
  assert.deepEqual(
    events.map((event) => req.listenerCount(event)),
    before,
  );
});
