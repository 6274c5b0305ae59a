import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLog, type LogOptions } from './log.ts';

/** What a log writes, line by line. */
function written(
  options: Omit<LogOptions, 'destination'>,
  write: (log: ReturnType<typeof createLog>) => void,
): string[] {
  const destination = new PassThrough();
  write(createLog({ ...options, destination }));
  destination.setEncoding('utf8');
  let text = '';
  for (let chunk = destination.read() as string | null; chunk !== null; chunk = destination.read() as string | null) {
    text += chunk;
  }
  return text === '' ? [] : text.trimEnd().split('\n');
}

const parse = (line: string | undefined): Record<string, unknown> => JSON.parse(line ?? '') as Record<string, unknown>;

test('a line is one JSON object with the constant message and the fields', () => {
  const [line, ...rest] = written({ pretty: false, level: 'info' }, (log) => {
    log.info('model loaded', { model: 'qwen' });
  });
  assert.deepEqual(rest, []);
  const { msg, model, level } = parse(line);
  assert.deepEqual({ msg, model, level }, { msg: 'model loaded', model: 'qwen', level: 30 });
});

test('every level reaches the log under its own number', () => {
  const lines = written({ pretty: false, level: 'debug' }, (log) => {
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
  });
  assert.deepEqual(
    lines.map((line) => [parse(line)['msg'], parse(line)['level']]),
    [
      ['d', 20],
      ['i', 30],
      ['w', 40],
      ['e', 50],
    ],
  );
});

test('lines below the level are not written', () => {
  assert.deepEqual(
    written({ pretty: false, level: 'warn' }, (log) => {
      log.info('quiet');
    }),
    [],
  );
});

test('a client cannot forge a line: control characters are escaped', () => {
  const lines = written({ pretty: false, level: 'info' }, (log) => {
    log.info('request', { path: 'a\r\n{"level":30,"msg":"forged"}' });
  });
  assert.equal(lines.length, 1);
});

test('an error is written with its message and stack', () => {
  const [line] = written({ pretty: false, level: 'info' }, (log) => {
    log.error('it failed', { error: new Error('boom') });
  });
  const error = parse(line)['error'] as Record<string, unknown>;
  assert.equal(error['message'], 'boom');
  assert.match(String(error['stack']), /log\.test\.ts/);
});

test('the form for people is not JSON and has the message', () => {
  const [line, ...rest] = written({ pretty: true, level: 'info' }, (log) => {
    log.info('model loaded', { model: 'qwen', pid: 77 });
  });
  assert.deepEqual(rest, [], 'one line for one event');
  assert.match(line ?? '', /INFO.*77.*model loaded.*qwen/);
  assert.throws(() => parse(line));
});
