import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import Type from 'typebox';
import { Value } from 'typebox/value';

const ErrorSchema = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) });
const ChatSchema = Type.Object({
  choices: Type.Tuple([Type.Object({ message: Type.Object({ content: Type.String() }) })]),
});
const StatusSchema = Type.Object({
  phase: Type.String(),
  reason: Type.Optional(Type.String()),
  position: Type.Optional(Type.Integer()),
  holders: Type.Optional(Type.Array(Type.String())),
  expected_load_ms: Type.Optional(Type.Integer()),
});
const ModelsSchema = Type.Object({
  data: Type.Array(Type.Object({ id: Type.String(), tags: Type.Array(Type.String()), status: StatusSchema })),
});

/** One model of an edge's list. */
export type Listed = Type.Static<typeof ModelsSchema>['data'][number];
export type ListedStatus = Listed['status'];

/** What came back, whole. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** A request on its way. */
export interface Asking {
  /** Rejects if the answer breaks off. */
  readonly reply: Promise<Reply>;
  readonly isOver: () => boolean;
}

/** Each request has a connection of its own. */
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, pipelining: 0 });

const TOKENS = 8;
/** Within this every answer has to be there. */
const ANSWER_MS = 90_000;

async function fetchReply(url: string, method: 'GET' | 'POST', body?: unknown): Promise<Reply> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined ? null : JSON.stringify(body);
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await request(url, { method, headers, body: text, dispatcher: agent, signal });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** Asks a model to go on with a text, without chance: the same weights always say the same. Nothing of it is cached. */
export async function ask(edge: string, model: string, tokens = TOKENS): Promise<Reply> {
  return fetchReply(`${edge}/v1/chat/completions`, 'POST', {
    model,
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: tokens,
    ignore_eos: true,
    temperature: 0,
    cache_prompt: false,
  });
}

/** The same without waiting for the answer. */
export const startAsking = (edge: string, model: string): Asking => underWay(ask(edge, model));

function underWay(asked: Promise<Reply>): Asking {
  let over = false;
  const reply = asked.finally(() => {
    over = true;
  });
  // A test that has failed before must not end by another error.
  reply.catch(() => undefined);
  return { reply, isOver: () => over };
}

/** Orders a load or an unload, as a client of llama-server's router does. */
export const order = async (edge: string, what: 'load' | 'unload', model: string, query = ''): Promise<Reply> =>
  fetchReply(`${edge}/models/${what}${query}`, 'POST', { model });

/** The same without waiting for the answer. */
export const startOrder = (...args: Parameters<typeof order>): Asking => underWay(order(...args));

/** What a model has said. Throws unless it is an answer. */
export function contentOf({ status, text }: Reply): string {
  const body = parse(text);
  if (status !== 200 || !Value.Check(ChatSchema, body)) throw new Error(`no answer of a model: ${status} ${text}`);
  return body.choices[0].message.content;
}

/** The code and the message of an error. Throws unless it is one. */
export function errorOf({ status, text }: Reply): { readonly code: string; readonly message: string } {
  const body = parse(text);
  if (status === 200 || !Value.Check(ErrorSchema, body)) throw new Error(`no error: ${status} ${text}`);
  return body.error;
}

/** What is no JSON has the shape of nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 30_000;

/** Resolves when the list of an edge says so of a model; `undefined`: it is not listed. Nothing tells what an edge knows but its list. */
export async function untilListed(
  edge: string,
  model: string,
  isSo: (listed: Listed | undefined) => boolean = (listed) => listed !== undefined,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const models = await listedModels(edge);
    if (isSo(models.find(({ id }) => id === model))) return;
    if (performance.now() > end)
      throw new Error(`${edge} lists ${JSON.stringify(models)}, which is not so of ${model}`);
    await delay(LOOK_EVERY_MS);
  }
}

async function listedModels(edge: string): Promise<readonly Listed[]> {
  const { status, text } = await fetchReply(`${edge}/models`, 'GET');
  const body = parse(text);
  if (status !== 200 || !Value.Check(ModelsSchema, body)) throw new Error(`${edge}/models: ${status} ${text}`);
  return body.data;
}
