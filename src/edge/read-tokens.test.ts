import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TOKENS, tokensOfEvents, tokensOfJson } from './read-tokens.ts';

const whole = (tail: string): { head: undefined; tail: string } => ({ head: undefined, tail });
const events = (...data: readonly object[]): string =>
  `${data.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')}data: [DONE]\n\n`;

const USAGE = { completion_tokens: 2, prompt_tokens: 7, total_tokens: 9, prompt_tokens_details: { cached_tokens: 3 } };
const TIMINGS = { cache_n: 3, prompt_n: 4, prompt_ms: 1.5, predicted_n: 2, predicted_ms: 3.25 };
/** As a model may write, or as a client may make it write. */
const LIE = 'x","usage":{"prompt_tokens":999,"completion_tokens":999},"timings":{"prompt_n":999}';

test('a whole answer says how many tokens it took, by any of the APIs', () => {
  const choices = [{ message: { content: LIE } }];
  for (const [answer, tokens] of [
    [{ choices, usage: USAGE }, [7, 2]],
    [{ choices, usage: USAGE, timings: { ...TIMINGS, predicted_n: 99 } }, [7, 2]],
    [{ content: LIE, prompt: LIE, timings: TIMINGS }, [7, 2]],
    [{ output: [], usage: { input_tokens: 7, output_tokens: 2, input_tokens_details: { cached_tokens: 3 } } }, [7, 2]],
    [{ content: [], usage: { cache_read_input_tokens: 3, input_tokens: 4, output_tokens: 2 } }, [7, 2]],
    [{ object: 'list', usage: { prompt_tokens: 7, total_tokens: 7 }, data: [] }, [7, undefined]],
    [{ choices, usage: null }, [undefined, undefined]],
    [{ choices, usage: { prompt_tokens: '7', completion_tokens: -1 } }, [undefined, undefined]],
    [{ choices, usage: { prompt_tokens: 7.5, completion_tokens: 2 } }, [undefined, 2]],
    [{ choices }, [undefined, undefined]],
    [{ choices, extra: { usage: USAGE } }, [undefined, undefined]],
    [{ choices, usage: USAGE, extra: { usage: { prompt_tokens: 99, completion_tokens: 99 } } }, [7, 2]],
    [{ choices, usage: USAGE, 'x"usage': { prompt_tokens: 99, completion_tokens: 99 } }, [7, 2]],
    [{ choices, usage: USAGE, extra: 'usage' }, [7, 2]],
    [{ choices, usage: { prompt_tokens: 7 }, timings: TIMINGS }, [7, 2]],
    [[{ usage: USAGE }], [undefined, undefined]],
  ] as const) {
    const { in: prompt, out } = tokensOfJson(whole(`${JSON.stringify(answer)}\n`));
    assert.deepEqual([prompt, out], tokens, JSON.stringify(answer));
  }
});

test('of a long answer the beginning and the end suffice', () => {
  const long = 'x'.repeat(10_000);
  const text = JSON.stringify({ choices: [{ message: { content: long + LIE } }], usage: USAGE });
  assert.deepEqual(tokensOfJson({ head: text.slice(0, 100), tail: text.slice(-200) }), { in: 7, out: 2 });
  const embeddings = JSON.stringify({ object: 'list', usage: { prompt_tokens: 7 }, data: [long] });
  assert.deepEqual(tokensOfJson({ head: embeddings.slice(0, 100), tail: embeddings.slice(-200) }), {
    in: 7,
    out: undefined,
  });
  assert.deepEqual(tokensOfJson({ head: text.slice(0, 100), tail: text.slice(-20) }), NO_TOKENS);
});

test('a stream says it in its last event that says anything', () => {
  const delta = { choices: [{ delta: { content: LIE } }], usage: null };
  assert.deepEqual(tokensOfEvents(whole(events(delta, { choices: [], usage: USAGE, timings: TIMINGS }))), {
    in: 7,
    out: 2,
  });
  assert.deepEqual(tokensOfEvents(whole(events(delta, { choices: [], timings: TIMINGS }))), { in: 7, out: 2 });
  assert.deepEqual(tokensOfEvents(whole(events(delta))), NO_TOKENS);
  const cut = `${events(delta)}data: ${JSON.stringify({ usage: USAGE })}`;
  assert.deepEqual(tokensOfEvents(whole(cut)), NO_TOKENS);
  assert.deepEqual(tokensOfEvents(whole(`: ${JSON.stringify({ usage: USAGE })}\n\n`)), NO_TOKENS);
});

test('an event that begins before the tail is read from its end', () => {
  const event = { type: 'response.completed', response: { output: 'x'.repeat(5000) + LIE }, timings: TIMINGS };
  const text = `event: response.completed\ndata: ${JSON.stringify(event)}\n\n`;
  assert.deepEqual(tokensOfEvents({ head: text.slice(0, 100), tail: text.slice(-300) }), { in: 7, out: 2 });
});

test('by Anthropic’s API the prompt is told of at the beginning, and the answer at the end', () => {
  const usage = { cache_read_input_tokens: 3, input_tokens: 4, output_tokens: 0 };
  const start = `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { usage } })}\n\n`;
  const delta = { type: 'content_block_delta', delta: { text: LIE } };
  const middle = `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`.repeat(50);
  const end =
    `event: message_delta\ndata: ${JSON.stringify({ type: 'message_delta', usage: { output_tokens: 2 } })}\n\n` +
    'event: message_stop\ndata: {"type":"message_stop"}\n\n';
  const text = start + middle + end;
  assert.deepEqual(tokensOfEvents(whole(text)), { in: 7, out: 2 });
  assert.deepEqual(tokensOfEvents({ head: text.slice(0, 400), tail: text.slice(-400) }), { in: 7, out: 2 });
  assert.deepEqual(tokensOfEvents({ head: middle.slice(0, 400), tail: text.slice(-400) }), { in: undefined, out: 2 });
});
