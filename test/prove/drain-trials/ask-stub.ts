import { Agent, request, type Dispatcher } from 'undici';
import { answerOf, streamOf, writeQuestion, type Question } from './stub-answer.ts';

/** What came of a request. */
export interface Asked {
  /** For how long the edge held it, in milliseconds; 0: it did not. */
  readonly held: number;
  /** What is wrong with the answer; `undefined`: it is the one that was asked for, to its last byte. */
  readonly fault: string | undefined;
}

/** Within this each answer has to be there, in milliseconds: longer than any edge is stopped or cut off. */
const PATIENCE_MS = 90_000;
/** Characters of an answer that is not as it should be. */
const MOST_TOLD = 600;
/** What an edge says to a client that waits for a stream, before its first event. */
const HEARTBEATS = /^(?:: [^\n]*\n\n)+/u;

export const newAgent = (): Agent => new Agent({ headersTimeout: 0, bodyTimeout: 0, pipelining: 0 });

/** Asks a stub through an edge, and compares what comes back. */
export async function askStub(agent: Agent, edge: string, question: Question): Promise<Asked> {
  let text = '';
  try {
    const answer = await request(`${edge}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: writeQuestion(question),
      dispatcher: agent,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    for await (const part of answer.body.setEncoding('utf8')) text += String(part);
    const held = Number(answer.headers['x-corral-queue-ms']);
    const status = statusOf(answer);
    return { held: Number.isNaN(held) ? 0 : held, fault: findFault(question, status, text) };
  } catch (error) {
    return { held: 0, fault: `cut: ${describe(error)} after: ${text.slice(-MOST_TOLD)}` };
  }
}

/** With the time after which to come again, if that is said. */
const statusOf = ({ statusCode, headers }: Dispatcher.ResponseData): string =>
  headers['retry-after'] === undefined
    ? String(statusCode)
    : `${statusCode} (Retry-After: ${String(headers['retry-after'])})`;

function findFault(question: Question, status: string, text: string): string | undefined {
  const expected = question.stream ? streamOf(question, question.model).join('') : answerOf(question, question.model);
  if (status !== '200') return `${status} ${text.slice(0, MOST_TOLD)}`;
  if (text.replace(HEARTBEATS, '') === expected) return undefined;
  return `cut: instead of the answer: ${text.slice(-MOST_TOLD)}`;
}

const describe = (error: unknown): string =>
  error instanceof Error
    ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
    : String(error);
