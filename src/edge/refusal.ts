import type { ServerResponse } from 'node:http';

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

/** The error object that clients know: `{"error":{"message","type","param","code"}}`. */
export function errorBody({ status, code, message, type = typeOf(status) }: Refusal): string {
  const param = code === 'model_not_found' || code === 'invalid_model' ? 'model' : null;
  return JSON.stringify({ error: { message, type, param, code } });
}

/** Answers with an error, unless the answer has begun or the client has left. */
export function refuse(res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  const body = errorBody(refusal);
  res.writeHead(
    refusal.status,
    [
      ['content-type', 'application/json; charset=utf-8'],
      ['content-length', String(Buffer.byteLength(body))],
      ...(refusal.retryAfter === undefined ? [] : [['retry-after', String(refusal.retryAfter)] as const]),
      ...(refusal.headers === undefined ? [] : refusal.headers),
      ...(refusal.close === true ? [['connection', 'close'] as const] : []),
    ].flat(),
  );
  res.end(body);
}

/** Answers 204: done, and nothing to say but these headers, as pairs. */
export function answerEmpty(res: ServerResponse, headers: readonly (readonly [string, string])[]): void {
  res.writeHead(204, headers.flat());
  res.end();
}

/** Answers 200 with a JSON body. */
export function answerJson(res: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  res.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}
