import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { instant } from '../domain/units.ts';
import { AnswerMeter } from './answer-meter.ts';
import { Answer } from './answer.ts';
import { Attempt } from './attempt.ts';

function attemptWith(seen: string[]): Attempt {
  const res = new http.ServerResponse(new http.IncomingMessage(new net.Socket()));
  const outgoing = { method: 'POST', path: '/', headers: [], body: null, reset: false } as const;
  return new Attempt({ ...outgoing, headers: [] }, new Answer(res, new AnswerMeter(() => instant(0))), [], {
    written: () => seen.push('written'),
    untouched: () => seen.push('untouched'),
    unanswered: () => seen.push('unanswered'),
    refused: () => seen.push('refused'),
    broken: () => seen.push('broken'),
  });
}

test('a failure before anything was sent is one that another attempt may follow', () => {
  const seen: string[] = [];
  attemptWith(seen).failed(new Error('refused'));
  assert.deepEqual(seen, ['untouched']);
});

test('a failure after the request went out is none to repeat', () => {
  const seen: string[] = [];
  const attempt = attemptWith(seen);
  attempt.sending();
  attempt.failed(new Error('closed'));
  assert.deepEqual(seen, ['unanswered']);
});

test('an attempt that was given up tells of no failure, and one that failed fails once', () => {
  const seen: string[] = [];
  const given = attemptWith(seen);
  given.abort();
  given.failed(new Error('aborted'));
  assert.deepEqual(seen, []);
  const failed = attemptWith(seen);
  failed.failed(new Error('refused'));
  failed.failed(new Error('refused'));
  assert.deepEqual(seen, ['untouched']);
});
