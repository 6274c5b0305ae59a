import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { ask, type Got } from '../../src/testing/http-kit.ts';
import type { ServingCorral } from './corral.ts';

/** Where models are served, and with which key they are asked. */
export interface Served extends Pick<ServingCorral, 'url'> {
  readonly apiKey?: string;
}

/** The official client. It does not ask again by itself: a test would not see what went wrong. */
export const clientOf = ({ url, apiKey = 'none' }: Served): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

interface Question {
  readonly model: string;
  readonly messages: [{ role: 'user'; content: string }];
  readonly max_tokens: number;
  readonly ignore_eos: boolean;
}

/** What every question here says. Random weights may end at any token: `ignore_eos` makes exactly `tokens` of them. */
export const question = (model: string, tokens: number): Question => ({
  model,
  messages: [{ role: 'user', content: 'hello' }],
  max_tokens: tokens,
  ignore_eos: true,
});

/** A whole answer. */
export interface Answer {
  readonly model: string;
  readonly tokens: number | undefined;
  readonly finish: string | undefined;
}

/** Asks for a whole answer at once. Rejects with OpenAI's errors. */
export async function chat(corral: Served, model: string, tokens = 2): Promise<Answer> {
  const answer = await clientOf(corral).chat.completions.create(question(model, tokens));
  return { model: answer.model, tokens: answer.usage?.completion_tokens, finish: answer.choices.at(0)?.finish_reason };
}

/** A stream that has begun. */
export interface Stream {
  /** Resolves with what was said when the last event is in; rejects if the stream breaks. */
  readonly whole: Promise<Answer>;
  readonly isOver: () => boolean;
  /** Resolves when a good part of it is in, and a good part is still to come. */
  readonly half: Promise<void>;
  abort(): void;
}

/**
 * Starts a stream and resolves with its first event: from then on it is in flight at a replica. `leaving` aborts it before that as
 * well.
 */
export async function startStream(
  corral: Served,
  model: string,
  tokens: number,
  leaving?: AbortSignal,
): Promise<Stream> {
  const aborter = new AbortController();
  const signal = leaving === undefined ? aborter.signal : AbortSignal.any([aborter.signal, leaving]);
  const events = await clientOf(corral).chat.completions.create(
    { ...question(model, tokens), stream: true, stream_options: { include_usage: true } },
    { signal },
  );
  const first = Promise.withResolvers<undefined>();
  const half = Promise.withResolvers<undefined>();
  let over = false;
  const whole = (async (): Promise<Answer> => {
    let answer: Answer = { model: '', tokens: undefined, finish: undefined };
    let seen = 0;
    try {
      for await (const { choices, usage, model: name } of events) {
        seen += 1;
        first.resolve(undefined);
        if (seen >= tokens / 4) half.resolve(undefined);
        const finish = choices.at(0)?.finish_reason ?? answer.finish;
        answer = { model: name, finish, tokens: usage?.completion_tokens ?? answer.tokens };
      }
      return answer;
    } finally {
      over = true;
      first.resolve(undefined);
      half.resolve(undefined);
    }
  })();
  // Whoever looks at `whole` gets its error; a test that has failed before must not end by another one.
  whole.catch(() => undefined);
  await first.promise;
  return {
    whole,
    half: half.promise,
    isOver: () => over,
    abort: () => {
      aborter.abort();
    },
  };
}

/** Fails unless an answer came to its regular end, with all its tokens. */
export async function assertWhole(answer: Promise<Answer>, model: string, tokens: number): Promise<void> {
  assert.deepEqual(await answer, { model, tokens, finish: 'length' });
}

export const get = async (corral: ServingCorral, path: string): Promise<Got> => ask(corral, { method: 'GET', path });

export const post = async (corral: ServingCorral, path: string, body: unknown): Promise<Got> =>
  ask(corral, { path, body: typeof body === 'string' ? body : JSON.stringify(body) });
