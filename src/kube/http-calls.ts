import { Pool, type Dispatcher } from 'undici';
import { parseJson } from '../domain/json.ts';
import { seconds, type Duration } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import { AuthoritiesFile } from './authorities-file.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { decodeFailure } from './decode-object.ts';
import { failureOf } from './failure-of.ts';
import { guardWrites } from './guard-writes.ts';
import { ApiError, ApiUnreachable } from './kube-api.ts';
import { resettingConnector } from './resetting-connector.ts';
import type { Timers } from './timers.ts';
import { TokenFile } from './token-file.ts';

const CONNECT_TIMEOUT = seconds(5);
/** A bound on how many sockets a burst of calls opens; watches need one each, all the time. */
const MAX_CONNECTIONS = 64;
/** API servers keep idle connections for longer, so that no call is sent into one that is being closed. */
const KEEP_IDLE = seconds(30);

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the query, which is not repeated in errors. */
  readonly path: string;
  readonly query?: ReadonlyMap<string, string>;
  /** Sent as JSON. */
  readonly body?: object;
  readonly contentType?: string;
  /** Ends the call from outside. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpCallParts {
  readonly access: ClusterAccess;
  readonly timers: Timers;
  readonly log: Log;
  readonly userAgent: string;
  /** From sending to the last byte of the answer; for a stream, to its first. Then the connection is reset. */
  readonly timeout: Duration;
  /** The same for a call that may change something. */
  readonly writeTimeout: Duration;
  /** Asked at the very moment at which a write goes out: why it must not; `undefined`: it may. */
  readonly whyNotWrite: () => string | undefined;
}

/** Calls to one server over a few shared connections. All of them throw `ApiError` or `ApiUnreachable`. */
export class HttpCalls {
  readonly #parts: HttpCallParts;
  readonly #pool: Pool;
  readonly #guarded: Dispatcher;
  readonly #token: TokenFile | undefined;

  /** Throws if the certificate authorities cannot be read. */
  constructor(parts: HttpCallParts) {
    const { caFile, tokenFile, server } = parts.access;
    this.#parts = parts;
    this.#token = tokenFile === undefined ? undefined : new TokenFile(tokenFile, parts.timers.now);
    const authorities = caFile === undefined ? undefined : new AuthoritiesFile(caFile, parts.log);
    this.#pool = new Pool(server.origin, {
      connections: MAX_CONNECTIONS,
      connect: resettingConnector({ timeout: CONNECT_TIMEOUT, authorities: () => authorities?.current() }),
      allowH2: false,
      keepAliveTimeout: KEEP_IDLE,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#guarded = this.#pool.compose(guardWrites(parts.whyNotWrite));
  }

  /** The JSON of an answer that is a success. */
  async json(call: HttpCall): Promise<unknown> {
    return this.#bounded(call, async (signal) => {
      const { body } = await this.#succeed(call, signal);
      return parseAnswer(await body.text(), what(call));
    });
  }

  /** The body of a successful answer, as it comes: without a bound in time, which is the caller's to set. */
  async stream(call: HttpCall): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#bounded(call, async (signal) => this.#succeed(call, signal));
    return body;
  }

  /** Breaks off all that is on its way. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #bounded<T>(call: HttpCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timers } = this.#parts;
    const timeout = call.method === 'GET' ? this.#parts.timeout : this.#parts.writeTimeout;
    const late = new AbortController();
    const cancel = timers.wakeIn(timeout, () => {
      late.abort();
    });
    try {
      return await work(call.signal === undefined ? late.signal : AbortSignal.any([call.signal, late.signal]));
    } catch (cause) {
      if (cause instanceof ApiError || cause instanceof ApiUnreachable) throw cause;
      const why = late.signal.aborted ? `no answer within ${timeout / 1000} s` : reasonOf(cause);
      throw new ApiUnreachable(`${what(call)}: ${why}`, { cause });
    } finally {
      cancel();
    }
  }

  async #succeed(call: HttpCall, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let answer = await this.#send(call, signal);
    if (answer.statusCode === 401 && this.#token !== undefined) {
      // Nothing was done, so that a write may be sent again; the token may just have been replaced.
      await answer.body.dump();
      this.#token.distrust();
      answer = await this.#send(call, signal);
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const failure = decodeFailure(parseJson(await answer.body.text()));
    const retryAfter = answer.headers['retry-after'];
    const head = { status: answer.statusCode, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
    throw failureOf(what(call), head, failure);
  }

  async #send(
    { method, path, query, body, contentType }: HttpCall,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { access, userAgent } = this.#parts;
    const base = access.server.pathname.replace(/\/$/, '');
    const search = query === undefined || query.size === 0 ? '' : `?${new URLSearchParams([...query]).toString()}`;
    const headers = new Map([
      ['accept', 'application/json'],
      ['user-agent', userAgent],
    ]);
    if (body !== undefined) headers.set('content-type', contentType ?? 'application/json');
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token.token()}`);
    return this.#guarded.request({
      method,
      path: `${base}${path}${search}`,
      headers: Object.fromEntries(headers),
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

/** How errors name a call. */
export const what = ({ method, path }: HttpCall): string => `${method} ${path}`;

function parseAnswer(text: string, call: string): unknown {
  const answer = parseJson(text);
  if (answer === undefined) throw new ApiUnreachable(`${call}: the answer is not JSON`);
  return answer;
}

/** Some errors of sockets have a code and no message. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.message !== '') return cause.message;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
