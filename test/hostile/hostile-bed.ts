import assert from 'node:assert/strict';
import net from 'node:net';
import { instant, milliseconds } from '../../src/domain/units.ts';
import { startEdge, type EdgeBed } from '../../src/testing/edge-testbed.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { BODY, type Payload } from './payload.ts';
import { readAnswers, type ReadAnswer } from './read-answers.ts';
import { readEcho, type Echo, startStrictStub, type StrictStub } from './strict-stub.ts';

/** An edge for hostile clients, and the one model behind it, which counts. */
export interface HostileBed {
  readonly bed: EdgeBed;
  readonly stub: StrictStub;
  /** Requests of which a client has got the model's answer. */
  readonly answered: Set<number>;
  /** Payloads so far. */
  sent: number;
}

/** Nobody waits longer for the end of a connection: all limits of the edge are far below. */
const PATIENCE_MS = 30_000;

/** `patience`: how long the edge waits for what does not come, in milliseconds. */
export async function startHostileBed(t: Cleanup, patience: number): Promise<HostileBed> {
  const stub = await startStrictStub(t);
  const time = milliseconds(patience);
  const bed = await startEdge(t, {
    now: () => instant(performance.now()),
    limits: { headersTimeout: time, bodyTimeout: time, keepAliveTimeout: time, maxBodyBytes: 1_000_000 },
  });
  bed.publish({ model: 'a', replicas: [stub.replica] });
  return { bed, stub, answered: new Set(), sent: 0 };
}

/** Sends bytes on a connection of their own, and resolves with all that comes back until the other side closes it. */
async function sendBytes(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
  let got = '';
  let isPatient = true;
  socket.on('data', (part: string) => (got += part)).on('error', () => undefined);
  socket.write(text, 'latin1');
  socket.setTimeout(PATIENCE_MS, () => {
    isPatient = false;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  assert.ok(isPatient, 'the connection is closed');
  return got;
}

/** Sends a payload of the corpus; throws unless exactly that comes of it which has to. */
export async function judgePayload(hostile: HostileBed, { text, statuses }: Payload): Promise<void> {
  const { sent, tag } = tagged(hostile, text);
  const answers = readable(await sendBytes(hostile.bed.port, sent));
  const got = answers.map(({ status }) => status);
  assert.deepEqual(got, statuses);
  for (const { body } of answers.flatMap((answer) => noteAnswered(hostile, answer, tag))) assert.equal(body, BODY);
}

/** Sends what a mutation has made; throws unless it was read in one way, whichever that is. */
export async function judgeMutant(hostile: HostileBed, text: string): Promise<void> {
  const { sent, tag } = tagged(hostile, text);
  const answers = readable(await sendBytes(hostile.bed.port, sent));
  for (const { status } of answers) assert.ok(EXPECTED.has(status), `the status ${status}`);
  for (const { body } of answers.flatMap((answer) => noteAnswered(hostile, answer, tag))) assertSent(body, sent);
}

/** Sends anything by way of a proxy, which may repair or refuse it; throws if its client gets the answer to something else. */
export async function judgeBehind(hostile: HostileBed, port: number, text: string): Promise<void> {
  const { sent, tag } = tagged(hostile, text);
  const got = await sendBytes(port, sent);
  for (const [echo] of got.matchAll(ECHO)) {
    for (const { body } of noteAnswered(hostile, { status: 200, body: echo }, tag)) assertSent(body, sent);
  }
}

/** The model's answer, wherever it stands: a proxy may answer in ways that only it knows. */
const ECHO = /\{"number":\d+,"target":"(?:[^"\\]|\\.)*","body":"(?:[^"\\]|\\.)*"\}/gu;

/** The same with its own mark on each target that has a place for it: who gets the answer to whose request is seen by that. */
function tagged(hostile: HostileBed, text: string): { readonly sent: string; readonly tag: string } {
  hostile.sent += 1;
  const tag = `t${hostile.sent}`;
  return { sent: text.replaceAll('/completion ', `/completion?${tag} `), tag };
}

/** What an edge without a fault can answer to one client with a model that works. */
const EXPECTED = new Set([200, 204, 400, 404, 405, 408, 413, 415, 417, 431, 505]);

/** Throws unless each request at the model was one of those that were accepted, and each of these reached its client. */
export function assertNothingSmuggled({ bed, stub, answered }: HostileBed): void {
  const accepted = bed.records.filter(({ status, model }) => status === 200 && model === 'a').length;
  assert.deepEqual(stub.misread, [], 'the model can read everything that it gets');
  assert.deepEqual([stub.count, accepted], [answered.size, answered.size], 'at the model, accepted, and answered');
}

function readable(got: string): readonly ReadAnswer[] {
  const answers = readAnswers(got);
  assert.ok(answers !== undefined, `only answers: ${JSON.stringify(got.slice(0, 500))}`);
  return answers;
}

/** Notes an answer of the model, and gives what it says. Throws if it is another client's, or somebody has had it before. */
function noteAnswered(
  { answered }: HostileBed,
  { status, body }: Pick<ReadAnswer, 'status' | 'body'>,
  tag: string,
): readonly Echo[] {
  if (status >= 400) assert.match(body, /^$|^\{"error":\{.*"code":"[a-z_]+"\}\}$/, 'an error has a code');
  const echo = readEcho(body);
  if (echo === undefined) return [];
  assert.ok(!answered.has(echo.number), 'an answer goes to one client');
  answered.add(echo.number);
  const [, of] = /\?(t\d+)/.exec(echo.target) ?? [];
  assert.ok(of === undefined || of === tag, 'and to the one that has asked');
  return [echo];
}

/** Whether all characters come in the same order, with others between: chunks may have been taken apart. */
function assertSent(body: string, sent: string): void {
  let at = 0;
  for (const character of sent) if (character === body[at]) at += 1;
  assert.equal(at, body.length, 'the body is what was sent');
}
