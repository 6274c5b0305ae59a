import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { milliseconds } from '../../src/domain/units.ts';
import { startEdge, type EdgeBed } from '../../src/testing/edge-testbed.ts';
import { chunk, LAST_CHUNK, startStub, STREAM_HEAD, type StubReplica } from '../../src/testing/http-kit.ts';

// What the official clients make of signs of life, of errors that come after the head, and of streams that break.

/** The events of one stream in an API's own form, and a client that reads it: what it got of them, one item for each. */
interface Api {
  readonly name: string;
  readonly events: readonly string[];
  readonly expected: readonly string[];
  readonly read: (bed: EdgeBed, got: string[]) => Promise<void>;
}

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { readonly type: string }): string => `event: ${value.type}\n${data(value)}`;

const openai = ({ port }: EdgeBed): OpenAI =>
  new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'none', maxRetries: 0 });

const anthropic = ({ port }: EdgeBed): Anthropic =>
  new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'none', maxRetries: 0 });

const delta = (content: string): string =>
  data({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'a',
    choices: [{ index: 0, delta: { content } }],
  });

const textDelta = (text: string): string =>
  named({ type: 'content_block_delta', ...{ index: 0, delta: { type: 'text_delta', text } } });

const APIS: readonly Api[] = [
  {
    name: "OpenAI's client, chat completions",
    events: [delta('one'), delta('two'), 'data: [DONE]\n\n'],
    expected: ['one', 'two'],
    read: async (bed, got) => {
      const messages = [{ role: 'user' as const, content: 'hello' }];
      const stream = await openai(bed).chat.completions.create({ model: 'a', stream: true, messages });
      for await (const { choices } of stream) got.push(String(choices[0]?.delta.content));
    },
  },
  {
    name: "OpenAI's client, completions",
    events: [
      data({ choices: [{ index: 0, text: 'one' }] }),
      data({ choices: [{ index: 0, text: 'two' }] }),
      'data: [DONE]\n\n',
    ],
    expected: ['one', 'two'],
    read: async (bed, got) => {
      const stream = await openai(bed).completions.create({ model: 'a', stream: true, prompt: 'hello' });
      for await (const { choices } of stream) got.push(String(choices[0]?.text));
    },
  },
  {
    name: "OpenAI's client, responses",
    events: ['one', 'two'].map((text) => named({ type: 'response.output_text.delta', ...{ delta: text } })),
    expected: ['one', 'two'],
    read: async (bed, got) => {
      const stream = await openai(bed).responses.create({ model: 'a', stream: true, input: 'hello' });
      for await (const event of stream) if (event.type === 'response.output_text.delta') got.push(event.delta);
    },
  },
  {
    name: "Anthropic's client, messages",
    events: [textDelta('one'), textDelta('two'), named({ type: 'message_stop' })],
    expected: ['one', 'two'],
    read: async (bed, got) => {
      const messages = [{ role: 'user' as const, content: 'hello' }];
      const stream = await anthropic(bed).messages.create({ model: 'a', max_tokens: 8, stream: true, messages });
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') got.push(event.delta.text);
      }
    },
  },
];

const stubThatSays = async (t: TestContext, text: string, dies: boolean): Promise<StubReplica> =>
  startStub(t, 'r1', (_request, socket) => {
    socket.write(text, () => {
      if (dies) socket.destroy();
    });
  });

/** A client that waits, and has been given two signs of life. */
async function keptAlive(
  t: TestContext,
  { read }: Api,
): Promise<{ bed: EdgeBed; got: string[]; reading: Promise<void> }> {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const bed = await startEdge(t);
  bed.publish({ model: 'a' });
  const got: string[] = [];
  const reading = read(bed, got);
  reading.catch(() => undefined);
  await bed.held('uid-a', 1);
  t.mock.timers.tick(10_000);
  t.mock.timers.tick(10_000);
  return { bed, got, reading };
}

it("OpenAI's client lists models and shows one, whatever they do", async (t) => {
  const bed = await startEdge(t);
  bed.publish(
    { model: 'org/a', phase: { kind: 'waiting', reason: 'WaitingForCapacity', because: 'room', position: 1 } },
    { model: 'b', phase: { kind: 'stopping', cause: { kind: 'idle' } }, holds: ['default'] },
    { model: 'c' },
  );
  const listed = [];
  for await (const { id, object } of openai(bed).models.list()) listed.push([id, object]);
  assert.deepEqual(listed, [
    ['org/a', 'model'],
    ['b', 'model'],
    ['c', 'model'],
  ]);
  assert.equal((await openai(bed).models.retrieve('org/a')).id, 'org/a');
});

for (const [what, limits] of [
  ['its first byte', { firstByteTimeout: milliseconds(100) }],
  ['all of it', { requestTimeout: milliseconds(100) }],
] as const) {
  it(`OpenAI's client has an answer generated once, that takes too long for ${what}`, async (t) => {
    const bed = await startEdge(t, { limits });
    let generations = 0;
    const stub = await startStub(t, 'r1', () => (generations += 1));
    bed.publish({ model: 'a', replicas: [stub.replica] });
    // As it asks again unless it is told otherwise.
    const client = openai(bed).withOptions({ maxRetries: 2 });
    await assert.rejects(client.chat.completions.create({ model: 'a', messages: [] }), { status: 504 });
    assert.equal(generations, 1);
  });
}

for (const api of APIS) {
  const { name, events, expected, read } = api;
  const stream = STREAM_HEAD + events.map(chunk).join('');
  describe(name, () => {
    it('does not notice signs of life', async (t) => {
      const { bed, got, reading } = await keptAlive(t, api);
      const stub = await stubThatSays(t, stream + LAST_CHUNK, false);
      bed.publish({ model: 'a', replicas: [stub.replica] });
      await reading;
      assert.deepEqual(got, expected);
    });

    it('throws the reason of a wait that was in vain', async (t) => {
      const { bed, reading } = await keptAlive(t, api);
      bed.publish({ model: 'a', refusal: { kind: 'pool-paused', pool: 'p' } });
      await assert.rejects(reading, /the pool .*p.* of the model .*a.* is paused/);
    });

    it('throws what the model answered instead of a stream', async (t) => {
      const { bed, reading } = await keptAlive(t, api);
      const error = '{"error":{"code":400,"message":"too many tokens","type":"exceed_context_size_error"}}';
      const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${error.length}\r\n\r\n`;
      const stub = await stubThatSays(t, head + error, false);
      bed.publish({ model: 'a', replicas: [stub.replica] });
      await assert.rejects(reading, /too many tokens/);
    });

    it('gets what came before its model died, and throws', async (t) => {
      const bed = await startEdge(t);
      const stub = await stubThatSays(t, STREAM_HEAD + chunk(String(events[0])), true);
      bed.publish({ model: 'a', replicas: [stub.replica] });
      const got: string[] = [];
      await assert.rejects(read(bed, got), /the model stopped in the middle of its answer/);
      assert.deepEqual(got, ['one']);
    });
  });
}
