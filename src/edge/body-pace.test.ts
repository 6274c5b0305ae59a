import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { instant, seconds } from '../domain/units.ts';
import { bodyTimeFor, refuseSlow } from './body-pace.ts';

const LIMITS = { bodyTimeout: seconds(30), minBodyRate: 1000 };

/** A request whose turn began at 0 s, when its connection had brought `before` bytes. */
function begun(before = 0) {
  let bytesRead = before;
  const socket = new Socket();
  Object.defineProperty(socket, 'bytesRead', { get: () => bytesRead });
  const req = new IncomingMessage(socket);
  const res = new ServerResponse(req);
  const served = { req, res, began: instant(0), bytesBefore: before };
  const check = (seconds: number): void => {
    refuseSlow([served], LIMITS, instant(seconds * 1000));
  };
  return { res, check, receive: (bytes: number) => (bytesRead += bytes) };
}

test('a body may take the fixed time, and longer by what has come of it', () => {
  assert.equal(bodyTimeFor(LIMITS, 0), 30_000);
  assert.equal(bodyTimeFor(LIMITS, 5000), 35_000);
  assert.equal(bodyTimeFor({ ...LIMITS, minBodyRate: 3000 }, 1), 30_001, 'whole, as Node asks of its timers');
});

test('a body of which nothing comes is answered 408 when its time is over, and not before', () => {
  const { res, check } = begun(500);
  check(30);
  assert.equal(res.headersSent, false);
  check(30.001);
  assert.deepEqual([res.headersSent, res.statusCode], [true, 408]);
  assert.equal(res.shouldKeepAlive, false);
});

test('a body that comes fast enough may take as long as it is large', () => {
  const { res, check, receive } = begun();
  for (let second = 0; second <= 120; second += 1) {
    check(second);
    receive(1000);
  }
  assert.equal(res.headersSent, false);
});
