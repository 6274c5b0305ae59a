import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { instant, seconds } from '../domain/units.ts';
import { BodyPace, bodyTimeFor } from './body-pace.ts';

const LIMITS = { bodyTimeout: seconds(30), minBodyRate: 1000 };

/** A request that has just begun at 0 s, after a head of `before` bytes. */
function begun(pace: BodyPace, before = 0) {
  let bytesRead = before;
  const socket = new Socket();
  Object.defineProperty(socket, 'bytesRead', { get: () => bytesRead });
  const req = new IncomingMessage(socket);
  const res = new ServerResponse(req);
  pace.begin(req, res, instant(0));
  return { req, res, receive: (bytes: number) => (bytesRead += bytes) };
}

test('a body may take the fixed time, and longer by what has come of it', () => {
  assert.equal(bodyTimeFor(LIMITS, 0), 30_000);
  assert.equal(bodyTimeFor(LIMITS, 5000), 35_000);
  assert.equal(bodyTimeFor({ ...LIMITS, minBodyRate: 3000 }, 1), 30_001, 'whole, as Node asks of its timers');
});

test('a body of which nothing comes is answered 408 when its time is over, and not before', () => {
  const pace = new BodyPace(LIMITS);
  const { res } = begun(pace, 500);
  pace.check(instant(30_000));
  assert.equal(res.headersSent, false);
  pace.check(instant(30_001));
  assert.deepEqual([res.headersSent, res.statusCode], [true, 408]);
  assert.equal(res.shouldKeepAlive, false);
});

test('a body that comes fast enough may take as long as it is large', () => {
  const pace = new BodyPace(LIMITS);
  const { res, receive } = begun(pace);
  for (let second = 0; second <= 120; second += 1) {
    pace.check(instant(second * 1000));
    receive(1000);
  }
  assert.equal(res.headersSent, false);
});

test('a request that is complete, or has ended, is not looked at any more', () => {
  const pace = new BodyPace(LIMITS);
  const complete = begun(pace);
  const ended = begun(pace);
  complete.req.complete = true;
  pace.end(ended.req);
  pace.check(instant(100_000));
  assert.deepEqual([complete.res.headersSent, ended.res.headersSent], [false, false]);
});
