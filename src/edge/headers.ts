import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ResponseHead } from './response-head.ts';

/** What a client may tell a replica, as it said it. Everything else is ours, a secret (authorization), or means nothing there. */
export const PASSED_ON: readonly string[] = [
  'content-type',
  'accept',
  'user-agent',
  'traceparent',
  'tracestate',
  'anthropic-version',
  'anthropic-beta',
];
/** What a trusted proxy may tell besides: of the request as its client made it. */
export const FROM_PROXIES: readonly string[] = ['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];
/** What we make, or add to. */
export const ADDED: readonly string[] = ['x-request-id', 'x-forwarded-for', 'forwarded'];

/**
 * Of an answer: speak of one connection only (RFC 9110 section 7.6.1), or of the replica instead of us, or are ours to say:
 * of event streams we say x-accel-buffering, once, whether the replica does or not.
 */
export const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'server',
  'alt-svc',
  'x-accel-buffering',
  'x-request-id',
]);
/** The same, of all names that begin so. */
export const DROPPED_PREFIXES: readonly string[] = ['access-control-', 'x-corral-'];

const REQUEST_ID = /^[\w-]{1,64}$/;
/** Node would send them in another encoding than it reads them in. */
const NOT_ASCII = /[^\t -~]/;
/** Two of them (Node joins their values) are none (W3C Trace Context section 4.3). */
const TRACE_PARENT = /^[\da-f-]{55}(?:-[^,]*)?$/;

/** What is known of a request beside its headers. */
export interface Hop {
  readonly requestId: string;
  /** The trusted proxy that it came from; `undefined`: it came from somebody else. */
  readonly proxy: string | undefined;
}

/** The headers of a request to a replica, as a flat list of names and values. Host and Content-Length are added where its bytes are made. */
export function requestHeaders(headers: IncomingHttpHeaders, { requestId, proxy }: Hop): string[] {
  const oneHop = namedByConnection(headers.connection);
  const flat = ['x-request-id', requestId];
  const names = proxy === undefined ? PASSED_ON : [...PASSED_ON, ...FROM_PROXIES];
  for (const name of names) {
    const value = headers[name];
    if (typeof value !== 'string' || oneHop.has(name)) continue;
    if (name !== 'traceparent' || TRACE_PARENT.test(value)) flat.push(name, value);
  }
  return proxy === undefined ? flat : [...flat, ...forwardedBy(headers, proxy)];
}

/** Says which proxy a request came through, behind what the proxies before it said (RFC 7239). */
function forwardedBy(headers: IncomingHttpHeaders, proxy: string): readonly string[] {
  const { forwarded, 'x-forwarded-for': before } = headers;
  const node = proxy.includes(':') ? `"[${proxy}]"` : proxy;
  return [
    'x-forwarded-for',
    typeof before === 'string' ? `${before}, ${proxy}` : proxy,
    ...(typeof forwarded === 'string' ? ['forwarded', `${forwarded}, for=${node}`] : []),
  ];
}

/** The id that a client gave its request, if it may be told on, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const id = headers['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : randomUUID();
}

/** The headers of a replica's answer that its client gets, as a flat list. */
export function responseHeaders({ headers, connection }: Pick<ResponseHead, 'headers' | 'connection'>): string[] {
  const oneHop = namedByConnection(connection);
  const flat: string[] = [];
  for (let at = 0; at < headers.length; at += 2) passOn(flat, oneHop, headers[at], headers[at + 1]);
  return flat;
}

function passOn(flat: string[], oneHop: ReadonlySet<string>, name = '', value = ''): void {
  if (DROPPED.has(name) || oneHop.has(name) || hasDroppedPrefix(name) || NOT_ASCII.test(value)) return;
  flat.push(name, value);
}

const hasDroppedPrefix = (name: string): boolean => DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));

const NONE: ReadonlySet<string> = new Set();

/** The names that a Connection header declares to be meant for the next hop only. */
function namedByConnection(connection: string | undefined): ReadonlySet<string> {
  // What nearly everybody says names no header that would be passed on.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
