import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestBytes, type OutgoingRequest } from './request-bytes.ts';

const POST: OutgoingRequest = {
  method: 'POST',
  path: '/p/v1/chat?a=b',
  headers: ['accept', 'x/y', 'user-agent', 'caf\xe9'],
  body: Buffer.from('{}'),
  reset: false,
};
const text = (request: OutgoingRequest): string =>
  Buffer.concat([...requestBytes(request, '10.0.0.1:8080')]).toString('latin1');

test('a request is one write of its head and its body, each header as it was', () => {
  assert.equal(
    text(POST),
    'POST /p/v1/chat?a=b HTTP/1.1\r\nhost: 10.0.0.1:8080\r\nconnection: keep-alive\r\n' +
      'accept: x/y\r\nuser-agent: caf\xe9\r\ncontent-length: 2\r\n\r\n{}',
  );
  assert.equal(requestBytes(POST, 'h').length, 1);
});

test('one that ends its connection says so, and one without a body has no length', () => {
  assert.equal(
    text({ ...POST, method: 'GET', headers: [], body: null, reset: true }),
    'GET /p/v1/chat?a=b HTTP/1.1\r\nhost: 10.0.0.1:8080\r\nconnection: close\r\n\r\n',
  );
});

test('an empty body is one of no bytes', () => {
  assert.match(text({ ...POST, body: Buffer.alloc(0) }), /\r\ncontent-length: 0\r\n\r\n$/);
});

test('a large body is not copied', () => {
  const body = Buffer.alloc(100_000, 'x');
  const parts = requestBytes({ ...POST, body }, 'h');
  assert.equal(parts[1], body);
  assert.match(String(parts[0]), /\r\ncontent-length: 100000\r\n\r\n$/);
});

for (const bad of ['a\r\nX: y', 'a\nb', 'a\rb', 'a\0b', 'a\u0100b']) {
  test(`a header with the value ${JSON.stringify(bad)} is not sent on`, () => {
    assert.throws(() => requestBytes({ ...POST, headers: ['accept', bad] }, 'h'), /value of accept/);
  });
}
for (const bad of ['', '/a b', '/a\r\nX: y', '/a\nb', '/\u0100']) {
  test(`the path ${JSON.stringify(bad)} is not sent on`, () => {
    assert.throws(() => requestBytes({ ...POST, path: bad }, 'h'), /path/);
  });
}
