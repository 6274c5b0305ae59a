import Type from 'typebox';
import { Value } from 'typebox/value';

/** What a client asks of a stub of a llama-server. All of the answer follows from it. */
export interface Question {
  /** No two requests have the same. */
  readonly id: string;
  readonly model: string;
  readonly stream: boolean;
  readonly tokens: number;
  /** Before each token, in milliseconds. */
  readonly pause: number;
}

const Body = Type.Object({
  model: Type.String(),
  stream: Type.Boolean(),
  max_tokens: Type.Integer(),
  pause: Type.Number(),
  messages: Type.Tuple([Type.Object({ role: Type.Literal('user'), content: Type.String() })]),
});

/** As it is sent. */
export const writeQuestion = ({ id, model, stream, tokens, pause }: Question): string =>
  JSON.stringify({ model, stream, max_tokens: tokens, pause, messages: [{ role: 'user', content: id }] });

/** Throws for what no client of ours sends. */
export function readQuestion(text: string): Question {
  const { model, stream, max_tokens: tokens, pause, messages } = Value.Parse(Body, JSON.parse(text));
  return { id: messages[0].content, model, stream, tokens, pause };
}

const event = (data: object | string): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** The events of a stream, one for each token, and its regular end. `alias`: of the model that answers. */
export const streamOf = ({ id, tokens }: Question, alias: string): readonly string[] => [
  ...Array.from({ length: tokens }, (_, index) =>
    event({
      id,
      object: 'chat.completion.chunk',
      model: alias,
      choices: [{ index: 0, delta: { content: `${index} ` } }],
    }),
  ),
  event('[DONE]'),
];

/** An answer at once. */
export const answerOf = ({ id, tokens }: Question, alias: string): string =>
  JSON.stringify({
    ...{ id, object: 'chat.completion', model: alias },
    choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant', content: id.repeat(2) } }],
    usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: tokens + 1 },
  });
