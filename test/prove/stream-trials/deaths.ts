import assert from 'node:assert/strict';
import type net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { milliseconds } from '../../../src/domain/units.ts';
import { readAnswer, send, type Got } from '../../../src/testing/http-kit.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Extent, Series } from '../proof.ts';
import { EVENT_STREAM, scriptOfChunks, scriptOfLength, type AnswerScript } from './answer-script.ts';
import { setEdgeStage, type Lane } from './edge-stage.ts';
import { tryOnLanes } from './try-on-lanes.ts';

type Api = 'chat' | 'messages';

/** An answer that its replica does not bring to an end. */
interface Death {
  readonly api: Api;
  readonly form: 'stream' | 'chunks' | 'length';
  /** Before it is dispatched: not at all, or until it has got a sign of life. */
  readonly waits: boolean;
  readonly end: 'fin' | 'rst' | 'stall';
  /** The byte before which it dies, as a share of all. */
  readonly at: number;
  readonly texts: readonly string[];
  /** A client library reads it, where there is one. */
  readonly library: boolean;
}

const deaths: fc.Arbitrary<Death> = fc.record({
  api: fc.constantFrom('chat' as const, 'messages' as const),
  form: fc.oneof(
    { weight: 6, arbitrary: fc.constant('stream' as const) },
    { weight: 2, arbitrary: fc.constantFrom('chunks' as const, 'length' as const) },
  ),
  waits: fc.boolean(),
  end: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom('fin' as const, 'rst' as const) },
    { weight: 1, arbitrary: fc.constant('stall' as const) },
  ),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  texts: fc.array(fc.string({ maxLength: 30, unit: 'grapheme' }), { minLength: 1, maxLength: 12 }),
  library: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const EVENT: Readonly<Record<Api, (text: string) => string>> = {
  chat: (text) => data({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: text } }] }),
  messages: (text) =>
    `event: content_block_delta\n${data({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}`,
};
const LAST: Readonly<Record<Api, string>> = {
  chat: 'data: [DONE]\n\n',
  messages: `event: message_stop\n${data({ type: 'message_stop' })}`,
};
const HEARTBEATS: Readonly<Record<Api, RegExp>> = {
  chat: /^(?:: waiting\n\n)+/u,
  messages: /^(?:event: ping\ndata: \{"type":"ping"\}\n\n)+/u,
};
const ERROR_EVENT: Readonly<Record<Api, RegExp>> = {
  chat: /^(?:\n\n)?data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"(?:upstream_failed|chunk_timeout|first_byte_timeout)"\}\}\n\n$/u,
  messages:
    /^(?:\n\n)?event: error\ndata: \{"type":"error","error":\{"type":"(?:api|timeout)_error","message":"[^"]+","code":"(?:upstream_failed|chunk_timeout|first_byte_timeout)"\}\}\n\n$/u,
};
const PATH: Readonly<Record<Api, string>> = { chat: '/v1/chat/completions', messages: '/v1/messages' };

function scriptOf({ api, form, texts }: Death): AnswerScript {
  const events = [...texts.map(EVENT[api]), LAST[api]].map((text) => Buffer.from(text));
  if (form === 'stream') return scriptOfChunks(EVENT_STREAM, events);
  const parts = texts.map((text) => Buffer.from(`${text};`));
  return form === 'chunks' ? scriptOfChunks('application/json', parts) : scriptOfLength(Buffer.concat(parts));
}

/** Says what it says before it dies, and dies. Resolves when it has. */
async function die(socket: net.Socket, bytes: Buffer, end: Death['end']): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.write(bytes, () => {
      resolve();
    });
  });
  if (end === 'fin') socket.end();
  else if (end === 'rst') socket.resetAndDestroy();
}

/** What is to be seen of a death. */
interface Expected {
  readonly death: Death;
  readonly script: AnswerScript;
  /** Bytes of the answer that were said, head included. */
  readonly said: number;
}

/** Fails unless the client can tell from what it got that its answer is not whole, and got nothing that was not said. */
function judge({ death, script, said }: Expected, { status, text, broken }: Got): void {
  const { api, form, waits, end } = death;
  const isAloud = waits && form === 'stream';
  const hasBegun = said >= script.head.length;
  if (!hasBegun && !isAloud) {
    assert.ok((status === 502 || status === 504) && !broken, `status ${status} before the first byte`);
    assert.match(text, /"code":"(?:upstream_failed|first_byte_timeout)"/u);
    return;
  }
  assert.ok(broken, 'the answer looks whole');
  const [heartbeats = ''] = isAloud ? (HEARTBEATS[api].exec(text) ?? ['']) : [''];
  assert.equal(heartbeats !== '', isAloud, 'a sign of life');
  const rest = text.slice(heartbeats.length);
  const content = hasBegun
    ? script.content.subarray(0, script.contentBefore(said - script.head.length))
    : Buffer.alloc(0);
  if (form !== 'stream')
    assert.ok(content.toString().startsWith(withoutHalf(rest)), 'something else than what was said');
  else assertErrorAfter(api, content, rest, end !== 'rst');
}

/** A character that was cut in half is no character. */
const withoutHalf = (text: string): string => text.replace(/\uFFFD+$/u, '');

/** The content up to where it was cut, or with a reset up to somewhere before, and then the error event. */
function assertErrorAfter(api: Api, content: Buffer, text: string, isExact: boolean): void {
  const mark = api === 'chat' ? 'data: {"error":' : 'event: error\n';
  const at = text.lastIndexOf(mark);
  assert.ok(at >= 0, 'no error event');
  const gap = text.slice(0, at).endsWith('\n\n') ? 2 : 0;
  const before = text.slice(0, at - gap);
  assert.match(text.slice(at - gap), ERROR_EVENT[api]);
  const said = content.toString();
  const isSaid = isExact
    ? [said, withoutHalf(said)].some((whole) => [before, `${before}\n\n`, withoutHalf(before)].includes(whole))
    : said.startsWith(withoutHalf(before));
  assert.ok(isSaid, `not what was said before the error: ${JSON.stringify(before.slice(-60))}`);
}

async function tryDeath(lane: Lane, death: Death): Promise<number | undefined> {
  const script = scriptOf(death);
  const whole = Buffer.concat([script.head, script.body]);
  const said = Math.floor(death.at * whole.length);
  const died = Promise.withResolvers<number>();
  const requests = lane.stub.requests;
  lane.stub.serve = (socket) => {
    void die(socket, whole.subarray(0, said), death.end).then(() => {
      died.resolve(performance.now());
    });
  };
  const end = lane.end();
  const seen = await (death.library && death.form === 'stream' ? byLibrary : byHttp)(lane, { death, script, said });
  const ended = await end;
  lane.assertFree();
  assert.equal(lane.stub.requests - requests, 1, 'it was asked more than once');
  assert.equal(ended.complete && ended.status === 200, false, 'it is recorded as complete');
  return death.end === 'stall' ? undefined : seen - (await died.promise);
}

/** Makes its model wait for a sign of life, if it is to. */
async function hold(lane: Lane, { waits, form }: Death, sign: Promise<unknown>): Promise<void> {
  if (!waits) return;
  if (form === 'stream') await sign;
  lane.setReady(true);
}

const bodyOf = ({ model }: Lane, form: Death['form']): string => JSON.stringify({ model, stream: form === 'stream' });

/** Resolves with when the client knew. */
async function byHttp(lane: Lane, expected: Expected): Promise<number> {
  const { death } = expected;
  if (death.waits) lane.setReady(false);
  const waiter = lane.waiter();
  const request = send(lane.edge, { path: PATH[death.api], body: bodyOf(lane, death.form) });
  const reading = readAnswer(request);
  if (death.waits) await waiter;
  await hold(lane, death, reading.until('\n\n'));
  const got = await reading.whole;
  const now = performance.now();
  judge(expected, got);
  return now;
}

/** The official client throws, unless it has got all that there was to get. */
async function byLibrary(lane: Lane, { death, script, said }: Expected): Promise<number> {
  if (death.waits) lane.setReady(false);
  const waiter = lane.waiter();
  let got = '';
  const reading = READ[death.api](lane, (text) => (got += text)).then(
    () => 'regular end',
    () => 'error',
  );
  if (death.waits) await waiter;
  // A library does not say when it has passed over a sign of life: several have been sent by then.
  await hold(lane, death, setTimeout(4 * HEARTBEAT));
  const outcome = await reading;
  const now = performance.now();
  const all = death.texts.join('');
  const isAllSaid = script.contentBefore(said - script.head.length) === script.content.length;
  assert.ok(
    outcome === 'error' || (isAllSaid && got === all),
    `the library sees a ${outcome} after ${got.length} characters`,
  );
  assert.ok(all.startsWith(got), 'the library got something else');
  return now;
}

const messages = [{ role: 'user' as const, content: 'hello' }];
const READ: Readonly<Record<Api, (lane: Lane, onText: (text: string) => void) => Promise<void>>> = {
  chat: async ({ edge, model }, onText) => {
    const client = new OpenAI({
      baseURL: `http://127.0.0.1:${edge.port}/v1`,
      apiKey: 'none',
      maxRetries: 0,
      logLevel: 'off',
    });
    const stream = await client.chat.completions.create({ model, stream: true, messages });
    for await (const { choices } of stream) onText(String(choices[0]?.delta.content));
  },
  messages: async ({ edge, model }, onText) => {
    const client = new Anthropic({
      baseURL: `http://127.0.0.1:${edge.port}`,
      apiKey: 'none',
      maxRetries: 0,
      logLevel: 'off',
    });
    const stream = await client.messages.create({ model, max_tokens: 8, stream: true, messages });
    for await (const event of stream) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') onText(event.delta.text);
    }
  },
};

/** Milliseconds between two signs of life. */
const HEARTBEAT = 5;
const LANES = 24;

/** Replicas that die at a random byte of their answer: by the end of the connection, by a reset, or by silence. */
export async function tryDeaths(t: Cleanup, { runs, seed }: Extent): Promise<Series> {
  const lanes = await setEdgeStage(t, LANES, {
    heartbeatInterval: milliseconds(HEARTBEAT),
    chunkTimeout: milliseconds(500),
    firstByteTimeout: milliseconds(500),
  });
  const { timings, failures } = await tryOnLanes(lanes, fc.sample(deaths, { numRuns: runs, seed }), tryDeath);
  return {
    what: 'a replica dies at a random byte',
    runs,
    failures,
    timed: 'from its death to what the client sees',
    timings,
  };
}
