import { STATUS_CODES, type ServerResponse } from 'node:http';
import { endAnswer, endRefusal, noteOwnAnswer, writeHead } from './edge-response.ts';

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

/**
 * Failures that come again however often a client asks, or after which each more time has a replica generate all of it anew; openai's
 * clients would ask, after 408, 429 and all from 500 on.
 */
export const NOT_TO_BE_REPEATED: ReadonlySet<string> = new Set([
  'bad_request',
  'body_too_large',
  'first_byte_timeout',
  'model_not_accepted',
  'model_too_large',
  'planned_elsewhere',
  'pool_not_found',
  'pool_paused',
  'reload_failed',
  'request_timeout',
]);

/** Of a JSON body of `bytes`, names and values in turn. */
const jsonHeaders = (bytes: number): string[] => [
  'content-type',
  'application/json; charset=utf-8',
  'content-length',
  String(bytes),
];

/** Names and values in turn. `bytes`: of the body. */
function headersOf({ code, retryAfter, headers }: Refusal, bytes: number): string[] {
  const flat = jsonHeaders(bytes);
  if (retryAfter !== undefined) flat.push('retry-after', String(retryAfter));
  // openai-node and openai-python obey it, either way.
  if (NOT_TO_BE_REPEATED.has(code)) flat.push('x-should-retry', 'false');
  if (headers !== undefined) for (const [name, value] of headers) flat.push(name, value);
  return flat;
}

/** Answers with an error, unless the answer has begun or the client has left. */
export function refuse(res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  const body = errorBody(refusal);
  const bytes = Buffer.byteLength(body);
  noteOwnAnswer(res, { code: refusal.code, bytes });
  // Said so, Node adds the header, and whoever comes behind on the connection can see that nobody will be answered any more.
  if (refusal.close === true) res.shouldKeepAlive = false;
  writeHead(res, refusal.status, headersOf(refusal, bytes));
  endRefusal(res, body);
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
  const body = JSON.stringify(value);
  const bytes = Buffer.byteLength(body);
  noteOwnAnswer(res, { code: undefined, bytes });
  writeHead(res, 200, jsonHeaders(bytes));
  endAnswer(res, body);
}
