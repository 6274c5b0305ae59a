import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { mock, test } from 'node:test';
import { createLog, type LogOptions } from './log.ts';

/** What a log writes, line by line. */
async function written(
  options: Omit<LogOptions, 'destination'>,
  write: (log: ReturnType<typeof createLog>) => void,
): Promise<string[]> {
  const destination = new PassThrough();
  mock.timers.enable({ apis: ['setTimeout'] });
  write(createLog({ ...options, destination }));
  mock.timers.runAll();
  mock.timers.reset();
  await new Promise((resolve) => setImmediate(resolve));
  destination.setEncoding('utf8');
  let text = '';
  for (let chunk = destination.read() as string | null; chunk !== null; chunk = destination.read() as string | null) {
    text += chunk;
  }
  return text === '' ? [] : text.trimEnd().split('\n');
}

const parse = (line: string | undefined): Record<string, unknown> => JSON.parse(line ?? '') as Record<string, unknown>;

test('a line is one JSON object with the constant message and the fields', async () => {
  const [line, ...rest] = await written({ pretty: false, level: 'info' }, (log) => {
    log.info('model loaded', { model: 'qwen' });
  });
  assert.deepEqual(rest, []);
  const { msg, model, level } = parse(line);
  assert.deepEqual({ msg, model, level }, { msg: 'model loaded', model: 'qwen', level: 30 });
});

test('every level reaches the log under its own number', async () => {
  const lines = await written({ pretty: false, level: 'debug' }, (log) => {
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

test('lines below the level are not written', async () => {
  assert.deepEqual(
    await written({ pretty: false, level: 'warn' }, (log) => {
      log.info('quiet');
    }),
    [],
  );
});

test('a client cannot forge a line: control characters are escaped', async () => {
  const lines = await written({ pretty: false, level: 'info' }, (log) => {
    log.info('request', { path: 'a\r\n{"level":30,"msg":"forged"}' });
  });
  assert.equal(lines.length, 1);
});

test('what JSON cannot hold is written all the same', async () => {
  const circle: Record<string, unknown> = { name: 'circle' };
  circle['self'] = circle;
  const [line] = await written({ pretty: false, level: 'info' }, (log) => {
    log.info('it goes round', { circle });
  });
  const { msg, level, circle: told } = parse(line);
  assert.deepEqual([msg, level, (told as typeof circle)['name']], ['it goes round', 30, 'circle']);
});

test('a line of info is the line of another level but for the level, and what is undefined is left out', async () => {
  const fields = { model: 'q"wen\u2028', none: undefined, count: 0, list: [1], nan: NaN };
  const [info, debug] = await written({ pretty: false, level: 'debug' }, (log) => {
    log.info('same', fields);
    log.debug('same', fields);
  });
  const same = (line: string | undefined): object => ({ ...parse(line), level: 0, time: 0 });
  assert.deepEqual(same(info), same(debug));
  assert.ok(Number(parse(info)['time']) > 1.7e12);
});

test('an error is written with its message and stack', async () => {
  const [line] = await written({ pretty: false, level: 'info' }, (log) => {
    log.error('it failed', { error: new Error('boom') });
  });
  const error = parse(line)['error'] as Record<string, unknown>;
  assert.equal(error['message'], 'boom');
  assert.match(String(error['stack']), /log\.test\.ts/);
});

test('the form for people is not JSON and has the message', async () => {
  const [line, ...rest] = await written({ pretty: true, level: 'info' }, (log) => {
    log.info('model loaded', { model: 'qwen', pid: 77 });
  });
  assert.deepEqual(rest, [], 'one line for one event');
  assert.match(line ?? '', /INFO.*77.*model loaded.*qwen/);
  assert.throws(() => parse(line));
});
