import { STATUS_CODES, type ServerResponse } from 'node:http';
import { endAnswer, writeHead } from './edge-response.ts';

/** An answer that is an error. Its body has OpenAI's shape, so that every client library shows `message`. */
export interface Refusal {
  readonly status: number;
  /** Stable, for programs; `message` is for people. */
  readonly code: string;
  readonly message: string;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number;
  /** More response headers, as pairs. */
  readonly headers?: readonly (readonly [string, string])[];
  /** The connection cannot be used again: part of the request was not read, or we shut down. */
  readonly close?: boolean;
  /** Where it is not the one that `typeOf` gives. */
  readonly type?: string;
}

/** The `type` of an error: OpenAI's names, and llama-server's where OpenAI has none. */
function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status === 503) return 'unavailable_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The error object that clients of OpenAI's API know. */
export function errorOf({ status, code, message, type = typeOf(status) }: Refusal): object {
  const param = code === 'model_not_found' || code === 'invalid_model' ? 'model' : null;
  return { message, type, param, code };
}

/** The body of an error: `{"error":{"message","type","param","code"}}`. */
const errorBody = (refusal: Refusal): string => JSON.stringify({ error: errorOf(refusal) });

/** What was answered here and not by a replica. */
export interface OwnAnswer {
  /** Of the error, if it is one. */
  readonly code: string | undefined;
  /** Of the body. */
  readonly bytes: number;
}

/** Kept beside the response, since whoever answers has nothing else in hand. It goes with the response. */
const ownAnswers = new WeakMap<ServerResponse, OwnAnswer>();

/** What was answered here, for the record of the request. */
export const ownAnswerOf = (res: ServerResponse): OwnAnswer | undefined => ownAnswers.get(res);

/** An answer that had begun ends with this error. */
export function noteError(res: ServerResponse, { code }: Refusal): void {
  ownAnswers.set(res, { code, bytes: 0 });
}

/** Failures that come again however often a client asks; openai's clients would, after 408, 429 and all from 500 on. */
export const NOT_TO_BE_REPEATED: ReadonlySet<string> = new Set([
  'bad_request',
  'body_too_large',
  'model_not_accepted',
  'model_too_large',
  'planned_elsewhere',
  'pool_not_found',
  'pool_paused',
  'reload_failed',
  'request_timeout',
]);

/** Names and values in turn. `bytes`: of the body. */
const headersOf = ({ code, retryAfter, headers = [] }: Refusal, bytes: number): string[] =>
  [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', String(bytes)],
    ...(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)] as const]),
    // openai-node and openai-python obey it, either way.
    ...(NOT_TO_BE_REPEATED.has(code) ? [['x-should-retry', 'false'] as const] : []),
    ...headers,
  ].flat();

/** Answers with an error, unless the answer has begun or the client has left. */
export function refuse(res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  const body = Buffer.from(errorBody(refusal));
  ownAnswers.set(res, { code: refusal.code, bytes: body.length });
  // Said so, Node adds the header, and whoever comes behind on the connection can see that nobody will be answered any more.
  if (refusal.close === true) res.shouldKeepAlive = false;
  writeHead(res, refusal.status, headersOf(refusal, body.length));
  endAnswer(res, body);
}

/** The same answer as it goes over the wire, for a connection on which there is no request that could be answered. */
export function rawRefusal(refusal: Refusal): string {
  const body = errorBody(refusal);
  const flat = [...headersOf(refusal, Buffer.byteLength(body)), 'connection', 'close'];
  const lines = flat.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  return `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`;
}

/** Answers 204: done, and nothing to say but these headers, as pairs. */
export function answerEmpty(res: ServerResponse, headers: readonly (readonly [string, string])[]): void {
  writeHead(res, 204, headers.flat());
  endAnswer(res);
}

/** Answers 200 with a JSON body. */
export function answerJson(res: ServerResponse, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  ownAnswers.set(res, { code: undefined, bytes: body.length });
  writeHead(res, 200, ['content-type', 'application/json; charset=utf-8', 'content-length', String(body.length)]);
  endAnswer(res, body);
}
