import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { createLog } from './log.ts';
import { GATHERED_FOR, LineSink, MAX_UNREAD } from './line-sink.ts';

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets what was gathered be written, and what was written be taken. */
async function pass(): Promise<void> {
  mock.timers.tick(GATHERED_FOR);
  await turn();
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => {
  mock.timers.reset();
});

/** A reader that takes the first part, and no more until it is told to read. */
function slowReader(): { target: Writable; read: () => Promise<string[]> } {
  let isReading = false;
  let goOn = (): void => undefined;
  let text = '';
  const target = new Writable({
    write: (part: Buffer, _encoding, taken) => {
      text += part.toString();
      if (isReading) taken();
      else goOn = taken;
    },
  });
  const read = async (): Promise<string[]> => {
    isReading = true;
    goOn();
    while (target.writableLength > 0) await turn();
    const lines = text.split('\n').slice(0, -1);
    text = '';
    return lines;
  };
  return { target, read };
}

test('the lines of some milliseconds are written at once and in their order', async () => {
  const writes: string[] = [];
  const target = { writableLength: 0, write: (text: string) => writes.push(text), on: () => undefined };
  const sink = new LineSink(target, () => undefined);
  sink.write('a\n');
  sink.write('b\n');
  mock.timers.tick(GATHERED_FOR - 1);
  assert.deepEqual(writes, []);
  await pass();
  sink.write('c\n');
  sink.flush();
  await pass();
  assert.deepEqual(writes, ['a\nb\n', 'c\n']);
});

test('a reader that does not read costs a bounded memory, and is told how many lines were lost once it reads', async () => {
  const { target, read } = slowReader();
  const log = createLog({ pretty: false, level: 'info', destination: target });
  const pad = 'x'.repeat(1000);
  const total = 8000;
  for (let number = 0; number < total; number += 1) {
    log.info('request', { number, pad });
    if (number % 100 === 0) await pass();
  }
  await pass();
  assert.ok(target.writableLength > MAX_UNREAD / 2 && target.writableLength <= MAX_UNREAD);
  const before = await read();
  log.info('request', { number: total, pad });
  await pass();
  const after = await read();
  const [told, last] = after.map((line) => JSON.parse(line) as { msg: string; lines?: number; number?: number });
  assert.equal(told?.msg, 'lines of the log were lost');
  assert.equal(told.lines, total - before.length);
  assert.equal(last?.number, total);
});

test('a reader that has gone ends the log and nothing else', async () => {
  const target = new PassThrough();
  const log = createLog({ pretty: false, level: 'info', destination: target });
  target.destroy(new Error('write EPIPE'));
  await turn();
  log.info('one');
  await pass();
  log.info('two');
  await pass();
  assert.equal(target.destroyed, true);
});

test('a pipe that nobody reads holds nothing up, and the last lines before an end are written', async () => {
  const script = `
    import { createLog } from ${JSON.stringify(new URL('log.ts', import.meta.url).href)};
    const log = createLog({ pretty: false, level: 'info' });
    const burst = (left) => {
      for (let line = 0; line < 100; line += 1) log.info('request', { pad: 'x'.repeat(1000) });
      if (left > 0) setImmediate(burst, left - 1);
      else process.stderr.write('through');
    };
    if (process.argv[1] === 'burst') burst(100);
    else { log.info('first'); log.error('last'); process.exit(3); }
  `;
  const args = ['--input-type=module', '--experimental-strip-types', '--no-warnings', '-e', script];
  const stuck = spawn(process.execPath, [...args, 'burst'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said] = (await once(stuck.stderr, 'data')) as [Buffer];
  assert.equal(said.toString(), 'through');
  stuck.kill('SIGKILL');
  const ended = spawn(process.execPath, [...args, 'end'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  ended.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(ended, 'close')) as [number];
  assert.equal(code, 3);
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['first', 'last'],
  );
});
