import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EdgeResponse, endAnswer, endRefusal, writeHead } from './edge-response.ts';

/** A connection that goes nowhere, and notes what it is given to write: a text for each system call, a byte a character. */
class NotingSocket extends Socket {
  readonly #notes: string[];

  constructor(notes: string[]) {
    super();
    this.#notes = notes;
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.#notes.push(latin1Of(chunk, encoding));
    done();
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    this.#notes.push(chunks.map(({ chunk, encoding }) => latin1Of(chunk, encoding)).join(''));
    done();
  }
}

const latin1Of = (chunk: Buffer | string, encoding: BufferEncoding): string =>
  (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk).toString('latin1');

function responseOn(notes: string[]): EdgeResponse {
  const socket = new NotingSocket(notes);
  const request = new IncomingMessage(socket);
  Object.assign(request, { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 });
  const res = new EdgeResponse(request);
  res.assignSocket(socket);
  return res;
}

/** Begins an answer of this body with nothing in its head that varies. */
function begin(res: EdgeResponse, body: Buffer): void {
  res.sendDate = false;
  writeHead(res, 200, ['content-length', String(body.length)]);
}

const head = (body: Buffer, connection = 'keep-alive'): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nConnection: ${connection}\r\n\r\n`;

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Each byte that there is, so often. */
const everyByte = (times: number): Buffer => Buffer.alloc(256 * times, ALL_BYTES);

test('an answer is written at the end of the turn, head and body at once, whatever bytes it consists of', async () => {
  for (const times of [1, 32, 33, 1000]) {
    const notes: string[] = [];
    const res = responseOn(notes);
    const body = everyByte(times);
    begin(res, body);
    endAnswer(res, body);
    await Promise.resolve();
    assert.deepEqual(notes, []);
    await nextTurn();
    assert.deepEqual(notes, [head(body) + body.toString('latin1')]);
  }
});

test('a text is written as UTF-8, in one go with its head', async () => {
  for (const text of ['plain', 'größer — “quoted” 😀', 'ü'.repeat(10_000)]) {
    const notes: string[] = [];
    const res = responseOn(notes);
    const body = Buffer.from(text);
    begin(res, body);
    endAnswer(res, text);
    await nextTurn();
    assert.deepEqual(notes, [head(body) + body.toString('latin1')]);
  }
});

test('the answers of one turn are written one right after the other', async () => {
  const notes: string[] = [];
  const [first, second] = [responseOn(notes), responseOn(notes)];
  const body = Buffer.from('x');
  for (const res of [second, first]) {
    begin(res, body);
    endAnswer(res, body);
  }
  assert.deepEqual(notes, []);
  await nextTurn();
  assert.equal(notes.length, 2);
});

test('an answer that ends its connection is written at once', () => {
  const notes: string[] = [];
  const res = responseOn(notes);
  const body = Buffer.from('no');
  res.shouldKeepAlive = false;
  begin(res, body);
  endAnswer(res, body);
  assert.deepEqual(notes, [head(body, 'close') + body.toString('latin1')]);
});

test('an answer whose client has left meanwhile is written to nobody', async () => {
  const notes: string[] = [];
  const res = responseOn(notes);
  const body = Buffer.from('x');
  begin(res, body);
  endAnswer(res, body);
  res.destroy();
  await nextTurn();
  assert.deepEqual(notes, []);
});

test('an answer waits for no more than a few refusals of its turn, however many there are; all of them go out', async () => {
  const [answers, refusals]: [string[], string[]] = [[], []];
  const body = Buffer.from('x');
  for (let number = 0; number < 100; number += 1) {
    const refused = responseOn(refusals);
    begin(refused, body);
    endRefusal(refused, 'x');
  }
  const answered = responseOn(answers);
  begin(answered, body);
  endAnswer(answered, body);
  await nextTurn();
  assert.deepEqual([answers.length, refusals.length], [1, 16]);
  while (refusals.length < 100) await nextTurn();
  assert.deepEqual(new Set(refusals), new Set(answers));
});

test('a refusal that ends its connection is written at once', () => {
  const notes: string[] = [];
  const res = responseOn(notes);
  res.shouldKeepAlive = false;
  begin(res, Buffer.from('no'));
  endRefusal(res, 'no');
  assert.deepEqual(notes, [`${head(Buffer.from('no'), 'close')}no`]);
});
