import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { instant, milliseconds } from '../domain/units.ts';
import { answer, startStub, STREAM_HEAD } from '../testing/http-kit.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { ReplicaConnection, type Requester } from './replica-connection.ts';
import type { OutgoingRequest } from './request-bytes.ts';
import { SilenceWatch } from './silence-watch.ts';

const LIMITS = {
  connectTimeout: milliseconds(20_000),
  firstByteTimeout: milliseconds(30_000),
  chunkTimeout: milliseconds(10_000),
};
const REQUEST: OutgoingRequest = { method: 'GET', path: '/', headers: [], body: null, reset: false };

/** A connection to a stub that answers with `reply`, on a clock that the test moves. */
async function connected(t: TestContext, reply: (socket: Socket) => void, limits = LIMITS) {
  let time = 0;
  t.mock.timers.enable({ apis: ['setInterval'] });
  const requests: string[] = [];
  const stub = await startStub(t, 'r', (request, socket) => {
    requests.push(request);
    reply(socket);
  });
  const told: string[] = [];
  let pausedAt: string | undefined;
  const changed = { resolve: (): void => undefined };
  const tell = (word: string): void => {
    told.push(word);
    changed.resolve();
  };
  const end = new EndOfTurn();
  const held: (() => void)[] = [];
  const turn = { lasts: false };
  const now = () => instant(time);
  const connection = new ReplicaConnection({
    host: '127.0.0.1',
    port: stub.port,
    authority: 'stub',
    limits,
    now,
    watch: new SilenceWatch(now, milliseconds(250)),
    endOfTurn: {
      add: (work) => {
        if (turn.lasts) held.push(work);
        else end.add(work);
      },
    },
    onIdle: () => {
      tell('idle');
    },
    onGone: () => {
      tell('gone');
    },
  });
  t.after(() => {
    connection.destroy();
  });
  const requester: Requester = {
    sending: () => {
      tell('sending');
    },
    written: () => {
      tell('written');
    },
    head: ({ status }) => {
      tell(`head ${status}`);
    },
    body: (part) => {
      if (String(part) === pausedAt) connection.pause();
      tell(`body ${String(part)}`);
    },
    end: () => {
      tell('end');
    },
    failed: ({ message }) => {
      tell(`failed: ${message}`);
    },
  };
  /** Resolves with all that was told since the last time, when the last word of it is `word`. */
  const until = async (word: string): Promise<string[]> => {
    while (!told.includes(word)) {
      await new Promise<void>((resolve) => {
        changed.resolve = resolve;
      });
    }
    return told.splice(0, told.indexOf(word) + 1);
  };
  return {
    stub: { ...stub, requests },
    connection,
    told,
    until,
    send: (request: OutgoingRequest = REQUEST) => {
      connection.send(request, requester);
    },
    /** Pauses with this part of an answer. */
    pauseAt: (part: string) => {
      pausedAt = part;
    },
    /** From now on a turn of the loop does not end, until what is returned is called. */
    holdTurn: () => {
      turn.lasts = true;
      return () => {
        for (const work of held) work();
      };
    },
    /** Lets so many milliseconds pass. */
    pass: (duration: number) => {
      time += duration;
      t.mock.timers.tick(250);
    },
  };
}

const replyWith = (text: string) => (socket: Socket) => socket.write(text);

test('one request follows the other on a connection, which is free before the end is told', async (t) => {
  const { send, until, stub } = await connected(t, replyWith(answer('{}')));
  send();
  assert.deepEqual(await until('end'), ['sending', 'head 200', 'body {}', 'idle', 'end']);
  send();
  assert.deepEqual(await until('end'), ['sending', 'head 200', 'body {}', 'idle', 'end']);
  assert.equal(stub.sockets.length, 1);
});

/** Answers after which a connection is closed and not used again. */
const LAST_ANSWERS: readonly [what: string, reply: string, request?: Partial<OutgoingRequest>][] = [
  ['that says so', 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'],
  ['of HTTP/1.0', 'HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n'],
  ['that will not keep it open for long', 'HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=2\r\n\r\n'],
  ['with more bytes behind it', 'HTTP/1.1 204 No Content\r\n\r\nH'],
  ['to a request that wanted it so', 'HTTP/1.1 204 No Content\r\n\r\n', { reset: true }],
];
for (const [what, reply, request] of LAST_ANSWERS) {
  test(`a connection is closed after an answer ${what}, before the end is told`, async (t) => {
    const { send, until, stub } = await connected(t, replyWith(reply));
    send({ ...REQUEST, ...request });
    assert.deepEqual(await until('end'), ['sending', 'head 204', 'gone', 'end']);
    const [socket] = stub.sockets;
    if (socket?.closed === false) await once(socket, 'close');
  });
}

test('a connection is closed after an answer that came before all of its request was sent', async (t) => {
  const { connection, until, stub, send } = await connected(t, () => undefined);
  const body = Buffer.alloc(64 * 1024 * 1024);
  send({ ...REQUEST, method: 'POST', body });
  await until('sending');
  while (stub.sockets.length === 0) await nextTurn();
  const [socket] = stub.sockets;
  socket?.pause();
  socket?.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(await until('end'), ['head 413', 'gone', 'end']);
  connection.destroy();
});

test('bytes that nobody has asked for close an idle connection', async (t) => {
  const { send, until, stub } = await connected(t, replyWith(answer('{}')));
  send();
  await until('end');
  stub.sockets[0]?.write('HTTP/1.1 200 OK\r\n');
  await until('gone');
});

test('bytes that come before a request has gone out are no answer to it, and it is never sent', async (t) => {
  const { send, until, stub, holdTurn } = await connected(t, replyWith(answer('{}')));
  send();
  await until('end');
  const endTurn = holdTurn();
  send();
  stub.sockets[0]?.write(answer('{"old":1}'));
  const failed = 'failed: it sent what nobody has asked for';
  assert.deepEqual(await until(failed), ['gone', failed]);
  endTurn();
  await nextTurn();
  assert.equal(stub.requests.length, 1);
});

test('a request that is given up in the turn in which it came is never sent', async (t) => {
  const { send, until, stub, connection, holdTurn, told } = await connected(t, replyWith(answer('{}')));
  send();
  await until('end');
  const endTurn = holdTurn();
  send();
  connection.destroy();
  endTurn();
  const [socket] = stub.sockets;
  if (socket?.closed === false) await once(socket, 'close');
  assert.deepEqual(told, ['gone']);
  assert.equal(stub.requests.length, 1);
});

test('a replica that closes an idle connection costs nobody anything', async (t) => {
  const { send, until, stub, told } = await connected(t, replyWith(answer('{}')));
  send();
  await until('end');
  stub.sockets[0]?.end();
  await until('gone');
  assert.deepEqual(told, []);
});

/** How long a connection may be idle, in milliseconds, by what its last answer says. */
const IDLE_TIMES: readonly [header: string, idle: number][] = [
  ['', 4000],
  ['Keep-Alive: timeout=5\r\n', 3000],
  ['Keep-Alive: timeout=60\r\n', 4000],
];
for (const [header, idle] of IDLE_TIMES) {
  test(`a connection is closed ${idle} ms after an answer with ${JSON.stringify(header)}, before the replica does it`, async (t) => {
    const { send, until, pass, told } = await connected(t, replyWith(`HTTP/1.1 204 No Content\r\n${header}\r\n`));
    send();
    await until('end');
    pass(idle - 1);
    assert.deepEqual(told, []);
    pass(1);
    assert.deepEqual(told, ['gone']);
  });
}

test('a replica that has not begun to answer in time fails its request, though a part of a head has come', async (t) => {
  const begun = Promise.withResolvers<undefined>();
  const { send, pass, told } = await connected(t, (socket) => {
    socket.write('HTTP/1.1 200', () => {
      begun.resolve(undefined);
    });
  });
  send();
  await begun.promise;
  // The part is in the connection, and is read in the next turn.
  await nextTurn();
  await nextTurn();
  pass(29_999);
  assert.deepEqual(told, ['sending']);
  pass(1);
  assert.deepEqual(told, ['sending', 'gone', 'failed: it has not begun to answer within 30 s']);
});

test('the limit for the first byte begins when the last byte of the request is sent', async (t) => {
  const { send, until, pass, told, stub } = await connected(t, () => undefined);
  const body = Buffer.alloc(64 * 1024 * 1024);
  send({ ...REQUEST, method: 'POST', body });
  await until('sending');
  while (stub.sockets.length === 0) await nextTurn();
  stub.sockets[0]?.pause();
  pass(30_000);
  pass(30_000);
  assert.deepEqual(told, []);
  stub.sockets[0]?.removeAllListeners('data').resume();
  await until('written');
  pass(30_000);
  assert.deepEqual(told, ['gone', 'failed: it has not begun to answer within 30 s']);
});

test('without a limit for the first byte a replica may take its time', async (t) => {
  const limits = { ...LIMITS, firstByteTimeout: milliseconds(0) };
  const { send, until, pass, told } = await connected(t, () => undefined, limits);
  send();
  await until('sending');
  pass(1e9);
  assert.deepEqual(told, []);
});

test('each part of an answer may be late anew, and not while the client makes us pause', async (t) => {
  const { send, until, pass, pauseAt, told, stub, connection } = await connected(
    t,
    replyWith(`${STREAM_HEAD}1\r\na\r\n`),
  );
  send();
  await until('body a');
  pass(9999);
  stub.sockets[0]?.write('1\r\nb\r\n');
  await until('body b');
  pass(9999);
  pauseAt('c');
  stub.sockets[0]?.write('1\r\nc\r\n');
  await until('body c');
  stub.sockets[0]?.write('1\r\nd\r\n');
  await nextTurn();
  await nextTurn();
  pass(1e9);
  assert.deepEqual(told, []);
  connection.resume();
  assert.deepEqual(await until('body d'), ['body d']);
  pass(9999);
  assert.deepEqual(told, []);
  pass(1);
  assert.deepEqual(told, ['gone', 'failed: it paused in the middle of its answer for longer than 10 s']);
});

test('a connection that does not come about in time fails its request, of which nothing was sent', async (t) => {
  const { send, pass, told } = await connected(t, () => undefined);
  send();
  pass(20_000);
  assert.deepEqual(told, ['gone', 'failed: no connection in time']);
});

test('an answer that breaks off fails its request', async (t) => {
  const { send, until } = await connected(t, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{'));
  send();
  await until('body {');
  assert.deepEqual(await until('failed: it closed the connection'), ['gone', 'failed: it closed the connection']);
});

test('a listener that throws ends its request and the connection', async (t) => {
  const { connection, until } = await connected(t, replyWith(answer('{}')));
  const told: string[] = [];
  connection.send(REQUEST, {
    sending: () => undefined,
    written: () => undefined,
    head: () => {
      throw new Error('a fault');
    },
    body: () => told.push('body'),
    end: () => told.push('end'),
    failed: ({ message }) => told.push(message),
  });
  await until('gone');
  assert.deepEqual(told, ['a fault']);
});

test('a connection that is destroyed tells its requester nothing', async (t) => {
  const { connection, send, until, told, stub } = await connected(t, () => undefined);
  send();
  await until('sending');
  connection.destroy();
  connection.destroy();
  const [socket] = stub.sockets;
  if (socket?.closed === false) await once(socket, 'close');
  assert.deepEqual(told, ['gone']);
});
