import assert from 'node:assert/strict';
import net from 'node:net';
import { instant, milliseconds } from '../../src/domain/units.ts';
import { startEdge, type EdgeBed } from '../../src/testing/edge-testbed.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { BODY, type Payload } from './payload.ts';
import { readAnswers, type ReadAnswer } from './read-answers.ts';
import { readEcho, startStrictStub, type StrictStub } from './strict-stub.ts';

/** An edge for hostile clients, and the one model behind it, which counts. */
export interface HostileBed {
  readonly bed: EdgeBed;
  readonly stub: StrictStub;
  /** Requests of which a client has got the model's answer. */
  readonly answered: Set<number>;
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
  return { bed, stub, answered: new Set() };
}

/** Sends bytes on a connection of their own, and resolves with all that comes back until the other side closes it. */
export async function sendBytes(port: number, text: string): Promise<string> {
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
export async function judgePayload(hostile: HostileBed, port: number, { text, statuses }: Payload): Promise<void> {
  const answers = readable(await sendBytes(port, text));
  const got = answers.map(({ status }) => status);
  assert.deepEqual(got, statuses);
  for (const body of noteAnswered(hostile, answers)) assert.equal(body, BODY);
}

/** Sends what a mutation has made; throws unless it was read in one way, whichever that is. */
export async function judgeMutant(hostile: HostileBed, port: number, text: string): Promise<void> {
  const answers = readable(await sendBytes(port, text));
  for (const { status } of answers) assert.ok(EXPECTED.has(status), `the status ${status}`);
  for (const body of noteAnswered(hostile, answers)) assert.ok(isWithin(body, text), 'the body is what was sent');
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

/** Notes the model's answers, and gives the bodies that it has got. Throws for an answer that somebody has had before. */
function noteAnswered({ answered }: HostileBed, answers: readonly ReadAnswer[]): string[] {
  return answers.flatMap(({ status, body }) => {
    if (status >= 400) assert.match(body, /^$|^\{"error":\{.*"code":"[a-z_]+"\}\}$/, 'an error has a code');
    const told = readEcho(body);
    if (told === undefined) return [];
    assert.ok(!answered.has(told.number), 'an answer goes to one client');
    answered.add(told.number);
    return [told.body];
  });
}

/** Whether all characters come in the same order, with others between: chunks may have been taken apart. */
function isWithin(body: string, text: string): boolean {
  let at = 0;
  for (const character of text) if (character === body[at]) at += 1;
  return at === body.length;
}
