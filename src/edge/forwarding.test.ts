import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { startEdge } from '../testing/edge-testbed.ts';
import {
  answer,
  ask,
  chat,
  chatBody,
  chunk,
  headOf,
  LAST_CHUNK,
  pour,
  send,
  stalled,
  startStub,
  STREAM_HEAD,
} from '../testing/http-kit.ts';
import { JsonModelReader } from './json-model.ts';

test('a body reaches the replica byte for byte, below its prefix, with the query', async (t) => {
  const bed = await startEdge(t);
  let seen = '';
  const stub = await startStub(t, 'r1', (request, socket) => {
    seen = request;
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const body = '{ "n" : 12345678901234567890, "x": 1.50e+300, "model":"\\u0061", "s":"ä😀\\ud83d\\ude00" }';
  const got = await ask(bed, { path: '/v1/embeddings?autoload=true&x=%2F', body });
  assert.equal(got.status, 200);
  const [head, sent] = seen.split('\r\n\r\n');
  assert.match(head ?? '', /^POST \/secret\/v1\/embeddings\?autoload=true&x=%2F HTTP\/1\.1\r\n/);
  assert.match(head ?? '', new RegExp(`content-length: ${Buffer.byteLength(body)}`, 'i'));
  assert.equal(Buffer.from(sent ?? '', 'latin1').toString(), body);
});

test('a fault of ours in what has read a body ends that request, and nothing else', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const fault = t.mock.method(JsonModelReader.prototype, 'finish', () => {
    throw new Error('a fault of ours');
  });
  const broken = await ask(bed, { body: chatBody('a') });
  assert.equal(broken.status, 500);
  assert.match(broken.text, /"code":"internal_error"/);
  fault.mock.restore();
  assert.equal((await ask(bed, { body: chatBody('a') })).status, 200);
});

test('replicas of one model take turns at requests that come one after the other', async (t) => {
  const bed = await startEdge(t);
  const asked: string[] = [];
  const stub = async (name: string): ReturnType<typeof startStub> =>
    startStub(t, name, (_request, socket) => {
      asked.push(name);
      socket.write(answer('{}'));
    });
  const [one, two] = [await stub('one'), await stub('two')];
  bed.publish({ model: 'a', replicas: [one.replica, two.replica] });
  for (let turn = 1; turn <= 4; turn += 1) {
    await chat(bed, 'a');
    await bed.ended(turn);
  }
  assert.deepEqual(asked, ['one', 'two', 'one', 'two']);
});

test('a chunked body is sent on whole, with a length of its own', async (t) => {
  const bed = await startEdge(t);
  let seen = '';
  const stub = await startStub(t, 'r1', (request, socket) => {
    seen = request;
    socket.write(answer('{}'));
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const request = http.request({
    host: '127.0.0.1',
    port: bed.port,
    method: 'POST',
    path: '/completion',
    agent: false,
  });
  for (const part of chatBody('a')) request.write(part);
  request.end();
  assert.equal((await headOf(request)).statusCode, 200);
  assert.doesNotMatch(seen, /transfer-encoding/i);
  assert.ok(seen.endsWith(`\r\n\r\n${chatBody('a')}`));
});

test('an error of the replica is the answer, as it is', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\n\r\n{"error":1}');
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const got = await chat(bed, 'a');
  assert.equal(got.status, 400);
  assert.equal(got.text, '{"error":1}');
});

test('each part of a stream reaches the client before the next is made', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  response.setEncoding('utf8');
  let text = '';
  for (const part of ['data: 1\n\n', 'da', 'ta: 2\n', '\n', 'data: [DONE]\n\n']) {
    stub.sockets[0]?.write(chunk(part));
    assert.deepEqual(await once(response, 'data'), [part]);
    text += part;
  }
  assert.equal(bed.ledger.inFlight(stub.replica.id), 1);
  stub.sockets[0]?.write(LAST_CHUNK);
  await once(response, 'end');
  assert.ok(response.complete && text.endsWith('[DONE]\n\n'));
  await bed.ended(1);
  bed.assertIdle();
});

test('multi-byte characters that are split between parts arrive whole', async (t) => {
  const bed = await startEdge(t);
  const bytes = Buffer.from('data: 😀\n\n');
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(STREAM_HEAD);
    for (const byte of bytes) {
      socket.write('1\r\n');
      socket.write(Buffer.from([byte]));
      socket.write('\r\n');
    }
    socket.write(LAST_CHUNK);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  assert.equal((await chat(bed, 'a')).text, bytes.toString());
});

test('a client that does not read holds the replica back, and still gets every byte', async (t) => {
  const bed = await startEdge(t);
  const total = 128 * 1024 * 1024;
  const stub = await startStub(t, 'r1', (_request, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const response = await headOf(send(bed, { body: chatBody('a') }));
  const [socket] = stub.sockets;
  assert.ok(socket !== undefined);
  const written = pour(socket, 'x'.repeat(1024 * 1024), total);
  await stalled(written, total);
  assert.ok(written() < total / 2, `${written()} bytes were taken for a client that does not read`);
  let got = 0;
  response.on('data', (part: Buffer) => (got += part.length));
  await once(response, 'end');
  assert.equal(got, total);
});

test('of two ready replicas the one with fewer requests in flight gets the next', async (t) => {
  const bed = await startEdge(t);
  const served: string[] = [];
  const open = (name: string) => (_request: string, socket: { write: (text: string) => void }) => {
    served.push(name);
    socket.write(STREAM_HEAD);
  };
  const one = await startStub(t, 'r1', open('one'));
  const two = await startStub(t, 'r2', open('two'));
  bed.publish({ model: 'a', replicas: [one.replica, two.replica] });
  for (let request = 0; request < 4; request += 1) await headOf(send(bed, { body: chatBody('a') }));
  assert.deepEqual(served.sort(), ['one', 'one', 'two', 'two']);
});

test('an alias leads to the same replica, and the log has the canonical name', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', aliases: ['gpt-4o'], replicas: [stub.replica] });
  assert.equal((await chat(bed, 'gpt-4o')).status, 200);
  await bed.ended(1);
  assert.equal(bed.lines.at(-1)?.fields.get('model'), 'a');
});

test('a connection that is kept alive serves one request after the other', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => {
    agent.destroy();
  });
  for (let request = 0; request < 5; request += 1) {
    assert.equal((await ask(bed, { body: chatBody('a'), agent })).status, 200);
  }
  assert.equal(stub.sockets.length, 1);
  await bed.ended(5);
  bed.assertIdle();
});

test('the access log has one line per request, without anything of its body or headers', async (t) => {
  const bed = await startEdge(t);
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const body = JSON.stringify({ model: 'a', prompt: 'a private thing' });
  await ask(bed, { path: '/completion?key=private', body, headers: { authorization: 'Bearer private' } });
  await chat(bed, 'private-unknown-name');
  await bed.ended(2);
  const [known, unknown] = bed.lines.filter(({ message }) => message === 'request').map(({ fields }) => fields);
  assert.deepEqual([...(known ?? [])].slice(0, 4), [
    ['method', 'POST'],
    ['path', '/completion'],
    ['model', 'a'],
    ['status', 200],
  ]);
  assert.deepEqual([unknown?.get('model'), unknown?.get('status')], [undefined, 404]);
  assert.doesNotMatch(JSON.stringify(bed.lines.map(({ fields }) => [...fields])), /private/);
});

test('a connection that has carried a stream carries nothing after it, one that has carried a whole answer does', async (t) => {
  const bed = await startEdge(t);
  const sockets: unknown[] = [];
  const stub = await startStub(t, 'r1', (request, socket) => {
    sockets.push(socket);
    socket.write(
      request.includes('"stream":true') ? STREAM_HEAD + chunk('data: [DONE]\n\n') + LAST_CHUNK : answer('{}'),
    );
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  const whole = JSON.stringify({ model: 'a' });
  const stream = JSON.stringify({ model: 'a', stream: true });
  for (const body of [whole, whole, stream, whole])
    assert.equal((await ask(bed, { path: '/completion', body })).status, 200);
  const [first, second, third, fourth] = sockets;
  assert.equal(first, second);
  assert.equal(second, third);
  assert.notEqual(third, fourth);
});
