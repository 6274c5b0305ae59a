import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { onceEnded } from './visit.ts';

/** A request and its answer on a connection that is no real one. */
function visited(): { req: http.IncomingMessage; res: http.ServerResponse; ends: () => number } {
  const req = new http.IncomingMessage(new net.Socket());
  const res = new http.ServerResponse(req);
  let ends = 0;
  onceEnded({ req, res }, () => (ends += 1));
  return { req, res, ends: () => ends };
}

test('a visit ends with its answer', () => {
  const { res, ends } = visited();
  res.emit('close');
  assert.equal(ends(), 1);
});

test('a visit whose answer waits behind another ends with the connection', () => {
  const { req, ends } = visited();
  req.socket.emit('close');
  assert.equal(ends(), 1);
});

test('a visit ends once, also where the end of the connection is what ends the answer', () => {
  const { req, res, ends } = visited();
  const socket: EventEmitter = req.socket;
  socket.prependListener('close', () => res.emit('close'));
  socket.emit('close');
  socket.emit('close');
  assert.equal(ends(), 1);
});

test('no listener stays on a connection that goes on', () => {
  const { req, res } = visited();
  const before = req.socket.listenerCount('close');
  res.emit('close');
  assert.equal(req.socket.listenerCount('close'), before - 1);
});
