import { headOf, send, type Target } from '../../src/testing/http-kit.ts';
import { question } from '../support/chat.ts';

/** Long enough for a slow machine, short enough to see that something hangs. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * Asks for a stream of one token on a connection of its own, and resolves, when the answer is complete, with the
 * milliseconds from sending to the first byte of its body. Rejects unless the answer is 200 and complete.
 */
export async function firstByte(target: Target, model: string, prefix = ''): Promise<number> {
  const body = JSON.stringify({ ...question(model, 1), stream: true });
  const path = `${prefix}/v1/chat/completions`;
  const sent = performance.now();
  const request = send(target, { path, body, headers: { 'content-type': 'application/json' } });
  request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error(`${model}: no answer within a minute`)));
  const response = await headOf(request);
  let elapsed: number | undefined;
  let answer = '';
  for await (const part of response.setEncoding('utf8')) {
    elapsed ??= performance.now() - sent;
    answer += String(part);
  }
  if (response.statusCode === 200 && elapsed !== undefined) return elapsed;
  throw new Error(`${model} was answered ${String(response.statusCode)}: ${answer}`);
}
