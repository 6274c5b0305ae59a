import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { createLog } from './log.ts';
import { GATHERED_FOR, LineSink, MAX_UNREAD, type SinkTarget } from './line-sink.ts';

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
  const write = (text: string): number => writes.push(text);
  const sink = new LineSink({ writableLength: 0, destroyed: false, write, on: () => undefined }, String);
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

/** A target on a disk that is full until there is room, and what it has written. Like standard output, it lives on after an error. */
function fullDisk(): { target: SinkTarget; written: string[]; tries: () => number; free: () => void } {
  const written: string[] = [];
  let [isFull, tries] = [true, 0];
  const onError: ((error: Error) => void)[] = [];
  const write: SinkTarget['write'] = (text, done) => {
    tries += 1;
    if (!isFull) return written.push(text);
    const error = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    done(error);
    return onError.map((callback) => {
      callback(error);
    });
  };
  const target: SinkTarget = { writableLength: 0, destroyed: false, write, on: (_, told) => onError.push(told) };
  return { target, written, tries: () => tries, free: () => (isFull = false) };
}

test('on a full disk lines are lost, and the first one after it stands behind the number of all of them', async () => {
  const disk = fullDisk();
  const sink = new LineSink(disk.target, (lines) => `lost ${lines}\n`);
  for (let round = 0; round < 3; round += 1) {
    sink.write('a\n');
    sink.write('b\n');
    await pass();
  }
  const tries = disk.tries();
  for (let waited = 0; waited < 100; waited += 1) await pass();
  assert.equal(disk.tries(), tries, 'nothing is tried where there is nothing to write');
  disk.free();
  sink.write('c\n');
  await pass();
  sink.write('d\n');
  await pass();
  assert.deepEqual(disk.written, ['\nlost 6\n', 'c\n', 'd\n']);
});

test('after EPIPE nothing is tried any more, though standard output is not destroyed by it', async () => {
  let tell: (error: Error) => void = () => undefined;
  const writes: string[] = [];
  const target: SinkTarget = {
    writableLength: 0,
    destroyed: false,
    write: (text) => writes.push(text),
    on: (_, told) => (tell = told),
  };
  const sink = new LineSink(target, String);
  tell(Object.assign(new Error('broken pipe'), { code: 'EPIPE' }));
  sink.write('a\n');
  await pass();
  assert.deepEqual(writes, []);
});

/** Standard output is a file that may not become longer than some KiB, as on a full disk; then half of it goes, and there is room. */
test('a file that could not grow goes on where it can, and every whole line in it or lost is accounted for', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'corral-log-'));
  t.after(async () => rm(folder, { recursive: true }));
  const file = join(folder, 'log');
  const script = `
    import { createLog } from ${JSON.stringify(new URL('log.ts', import.meta.url).href)};
    const log = createLog({ pretty: false, level: 'info' });
    for (let number = 0; number < 100; number += 1) log.info('request', { number, pad: 'é'.repeat(100) });
    setTimeout(() => process.stderr.write('full'), ${GATHERED_FOR});
    process.stdin.once('data', () => { log.info('after'); process.exit(0); });
  `;
  const args = [process.execPath, '--input-type=module', '--experimental-strip-types', '--no-warnings', '-e', script];
  const limited = `trap '' XFSZ; ulimit -f 8; exec "$@" >> '${file}'`;
  const child = spawn('sh', ['-c', limited, 'sh', ...args], { stdio: ['pipe', 'inherit', 'pipe'] });
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  assert.equal(said.toString(), 'full');
  const full = await readFile(file, 'utf8');
  assert.equal(full.endsWith('\n'), false, 'the last line is cut');
  await truncate(file, (await stat(file)).size / 2 + 1);
  child.stdin.write('go on');
  await once(child, 'close');
  const rest = (await readFile(file, 'utf8')).split('\n').slice(-3, -1);
  const [told, last] = rest.map((line) => JSON.parse(line) as { msg: string; lines?: number });
  assert.deepEqual([told?.msg, last?.msg], ['lines of the log were lost', 'after']);
  assert.equal(told?.lines, 100 - full.split('\n').slice(0, -1).length);
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
