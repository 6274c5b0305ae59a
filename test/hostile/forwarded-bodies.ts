import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { startEdge } from '../../src/testing/edge-testbed.ts';
import { acceptedBody, type Random } from '../../src/testing/hostile-bodies.ts';
import { answerTo, portOf, replicaAt } from '../../src/testing/http-kit.ts';
import type { Cleanup } from '../support/temp-folder.ts';

/** A body as it is sent, and the hash of what has to come of it. */
export interface Sending {
  readonly body: Buffer;
  /** Where it is cut into the chunks in which it goes out; empty: it goes as a whole, its length announced. */
  readonly cuts: readonly number[];
  readonly expected: string;
}

const PARAMETERS = '{"temperature":0,"stop":["}"]}';
/** Model, alias and variant. */
const NAMES = ['a', 'ä/"😀', 'a-cold'];
const VARIANT = NAMES.indexOf('a-cold');

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Any body that is let in, for any of the names. */
export function randomSending(random: Random): Sending {
  const index = random(NAMES.length);
  const { body, looks } = acceptedBody(String(NAMES[index]), random);
  return { body, cuts: looks, expected: hashOf(index === VARIANT ? withParameters(body) : body) };
}

/** With the variant's members before the brace that is the last character of JSON text but for blanks. */
function withParameters(body: Buffer): Buffer {
  const end = body.lastIndexOf('}');
  return Buffer.concat([body.subarray(0, end), Buffer.from(`,${PARAMETERS.slice(1, -1)}`), body.subarray(end)]);
}

/** Sends a body through an edge, whose model answers with the hash of what it has got; throws if that is another one. */
export type JudgeSending = (sending: Sending) => Promise<void>;

/** An edge with one model behind it, that answers each request with the SHA-256 of its body. */
export async function startForwarding(t: Cleanup): Promise<JudgeSending> {
  const stub = await startHashing(t);
  const bed = await startEdge(t);
  const variants = [{ name: String(NAMES[VARIANT]), parameters: PARAMETERS }];
  bed.publish({ model: 'a', aliases: [String(NAMES[1])], variants, replicas: [replicaAt('r1', stub)] });
  const agent = new http.Agent({ keepAlive: true });
  t.after(async () => {
    agent.destroy();
    return Promise.resolve();
  });
  return async (sending) => {
    const { status, text } = await answerTo(send(bed.port, agent, sending));
    assert.deepEqual([status, text], [200, sending.expected]);
  };
}

function send(port: number, agent: http.Agent, { body, cuts }: Sending): http.ClientRequest {
  const path = '/v1/chat/completions';
  const request = http.request({ host: '127.0.0.1', port, agent, path, method: 'POST' });
  let from = 0;
  for (const cut of cuts) {
    if (cut > from) request.write(body.subarray(from, cut));
    from = cut;
  }
  request.end(body.subarray(from));
  return request;
}

async function startHashing(t: Cleanup): Promise<number> {
  const server = http.createServer((req, res) => {
    const hash = createHash('sha256');
    req.on('data', (chunk: Buffer) => hash.update(chunk));
    req.on('end', () => res.end(hash.digest('hex')));
  });
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return portOf(server);
}
