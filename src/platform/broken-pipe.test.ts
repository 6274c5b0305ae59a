import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { letReadersLeave } from './broken-pipe.ts';

const FULL = Object.assign(new Error('no space'), { code: 'ENOSPC' });

test('that a reader has left is passed over, and another error is not', () => {
  const stream = new EventEmitter();
  letReadersLeave(stream);
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  assert.throws(() => stream.emit('error', FULL), FULL);
});

test('an error that somebody else looks after is left to them: a full disk does not end who logs to it', () => {
  const stream = new EventEmitter();
  letReadersLeave(stream);
  const seen: unknown[] = [];
  stream.on('error', (error) => seen.push(error));
  stream.emit('error', FULL);
  assert.deepEqual(seen, [FULL]);
});
