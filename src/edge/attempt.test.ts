import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import type { Dispatcher } from 'undici';
import { instant } from '../domain/units.ts';
import { AnswerMeter } from './answer-meter.ts';
import { Answer } from './answer.ts';
import { Attempt } from './attempt.ts';

/** A controller that only remembers whether it was told to stop. */
function controllerStub(): Dispatcher.DispatchController {
  let reason: Error | null = null;
  return {
    get aborted() {
      return reason !== null;
    },
    get reason() {
      return reason;
    },
    paused: false,
    abort: (error) => {
      reason = error;
    },
    pause: () => undefined,
    resume: () => undefined,
  };
}

function attemptWith(seen: string[]): Attempt {
  const res = new http.ServerResponse(new http.IncomingMessage(new net.Socket()));
  const outgoing = { method: 'POST', path: '/', headers: [], body: null, reset: false } as const;
  return new Attempt({ ...outgoing, headers: [] }, new Answer(res, new AnswerMeter(() => instant(0))), [], {
    untouched: () => seen.push('untouched'),
    unanswered: () => seen.push('unanswered'),
    refused: () => seen.push('refused'),
    broken: () => seen.push('broken'),
  });
}

test('an attempt that was given up before its connection was there sends nothing when it is', () => {
  const attempt = attemptWith([]);
  const controller = controllerStub();
  attempt.abort();
  attempt.onRequestStart(controller);
  assert.equal(controller.aborted, true);
});

test('an attempt that was given up during the request is given up at the replica', () => {
  const attempt = attemptWith([]);
  const controller = controllerStub();
  attempt.onRequestStart(controller);
  assert.equal(controller.aborted, false);
  attempt.abort();
  assert.equal(controller.aborted, true);
});

test('a failure before the connection was there is one where nothing was sent', () => {
  const seen: string[] = [];
  attemptWith(seen).onResponseError(null, new Error('refused'));
  assert.deepEqual(seen, ['untouched']);
});

test('a failure after the request went out is none to repeat', () => {
  const seen: string[] = [];
  const attempt = attemptWith(seen);
  attempt.onRequestStart(controllerStub());
  attempt.onResponseError(null, new Error('closed'));
  assert.deepEqual(seen, ['unanswered']);
});

test('an attempt that was given up tells of no failure, and one that failed fails once', () => {
  const seen: string[] = [];
  const given = attemptWith(seen);
  given.abort();
  given.onResponseError(null, new Error('aborted'));
  assert.deepEqual(seen, []);
  const failed = attemptWith(seen);
  failed.onResponseError(null, new Error('refused'));
  failed.onResponseError(null, new Error('refused'));
  assert.deepEqual(seen, ['untouched']);
});
