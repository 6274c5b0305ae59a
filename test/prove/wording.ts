import type { IncomingMessage } from 'node:http';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { headOf, send, type Target } from '../../src/testing/http-kit.ts';

/** A question that has exactly one right answer for each model. */
export interface Wording {
  readonly prompt: string;
  readonly tokens: number;
  readonly stream: boolean;
}

/** What came back. `broken`: the connection ended before the answer did. */
interface Got {
  readonly status: number | undefined;
  readonly text: string;
  readonly broken: boolean;
}

/** What came back, whole. */
export interface Told {
  readonly content: string;
  /** From sending to the last byte, in milliseconds. */
  readonly took: number;
}

/** The likeliest token each time, from nothing remembered: the same question gets the same answer. */
const bodyOf = (model: string, { prompt, tokens, stream }: Wording): string =>
  JSON.stringify({
    model,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: tokens,
    ignore_eos: true,
    temperature: 0,
    cache_prompt: false,
    stream,
  });

/** A minute is long enough for anything here: nobody waits for ever. */
const ANSWER_WITHIN_MS = 60_000;

const Finish = Type.Union([Type.String(), Type.Null()]);
const Whole = Type.Object({
  model: Type.String(),
  choices: Type.Array(
    Type.Object({ finish_reason: Finish, message: Type.Object({ content: Type.Union([Type.String(), Type.Null()]) }) }),
  ),
});
const Part = Type.Object({
  model: Type.String(),
  choices: Type.Array(
    Type.Object({
      finish_reason: Finish,
      delta: Type.Object({ content: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
    }),
  ),
});

/** Asks, and rejects unless the answer is whole: 200, by that model, of full length, and ended as it should. */
export async function askFor(target: Target, model: string, wording: Wording, onBegin?: () => void): Promise<Told> {
  const sent = performance.now();
  const headers = { 'content-type': 'application/json' };
  const request = send(target, { path: '/v1/chat/completions', headers, body: bodyOf(model, wording) });
  request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error(`${model}: silent for a minute`)));
  const got = await readAnswer(await headOf(request), onBegin);
  const took = performance.now() - sent;
  if (got.status !== 200 || got.broken) throw new Error(`${model}: status ${String(got.status)}, ${describeEnd(got)}`);
  const { by, content, finish } = wording.stream ? readStream(got.text) : readWhole(got.text);
  if (by !== model || finish !== 'length') throw new Error(`${model}: answered by ${by}, finished by ${finish}`);
  return { content, took };
}

async function readAnswer(response: IncomingMessage, onBegin?: () => void): Promise<Got> {
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      if (text === '') onBegin?.();
      text += String(part);
    }
  } catch {
    // Told by `complete`.
  }
  return { status: response.statusCode, text, broken: !response.complete };
}

const describeEnd = ({ broken, text }: Got): string => `${broken ? 'broken off' : 'ended'} after: ${text.slice(-300)}`;

interface Read {
  readonly by: string;
  readonly content: string;
  readonly finish: string;
}

function readWhole(text: string): Read {
  const { model, choices } = Value.Parse(Whole, JSON.parse(text));
  return {
    by: model,
    content: choices.map(({ message }) => String(message.content)).join(''),
    finish: choices.map(({ finish_reason }) => String(finish_reason)).join(),
  };
}

/** Throws unless `[DONE]` is the last event, and the only one of its kind. */
function readStream(text: string): Read {
  const events = text.split('\n\n').filter((event) => event !== '');
  if (events.indexOf('data: [DONE]') !== events.length - 1)
    throw new Error(`no [DONE] at the end: ${text.slice(-300)}`);
  const parts = events.slice(0, -1).map((event) => Value.Parse(Part, JSON.parse(event.replace(/^data: /u, ''))));
  const choices = parts.flatMap((part) => part.choices);
  return {
    by: [...new Set(parts.map(({ model }) => model))].join(),
    content: choices.map(({ delta }) => (typeof delta.content === 'string' ? delta.content : '')).join(''),
    finish: choices.flatMap(({ finish_reason }) => (finish_reason === null ? [] : [finish_reason])).join(),
  };
}
