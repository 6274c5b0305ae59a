import type { IncomingHttpHeaders } from 'node:http';

/** What a client may tell a replica. Everything else is ours (host, framing), a secret (authorization) or means nothing there. */
const FORWARDED = [
  'content-type',
  'accept',
  'user-agent',
  'traceparent',
  'tracestate',
  'anthropic-version',
  'anthropic-beta',
];
const REQUEST_ID = /^[\w-]{1,64}$/;
/** Speak of one connection only (RFC 9110 section 7.6.1), or of the replica instead of us. */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'server',
]);

/** The headers of a request to a replica, as a flat list of names and values. undici adds host and content-length. */
export function requestHeaders(headers: IncomingHttpHeaders): string[] {
  const oneHop = namedByConnection(headers.connection);
  const flat: string[] = [];
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string' && !oneHop.has(name)) flat.push(name, value);
  }
  const id = requestIdOf(headers);
  if (id !== undefined) flat.push('x-request-id', id);
  return flat;
}

/** The id that a client gave its request; `undefined`: none, or one that may not be told on. */
export function requestIdOf(headers: IncomingHttpHeaders): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined;
}

/** The headers of a replica's answer that its client gets, as a flat list. */
export function responseHeaders(headers: IncomingHttpHeaders): string[] {
  const oneHop = namedByConnection(headers.connection);
  const flat: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || DROPPED.has(name) || oneHop.has(name) || name.startsWith('access-control-')) continue;
    for (const one of Array.isArray(value) ? value : [value]) flat.push(name, one);
  }
  return flat;
}

/** The names that a Connection header declares to be meant for the next hop only. */
const namedByConnection = (connection: string | undefined): ReadonlySet<string> =>
  new Set(connection === undefined ? [] : connection.split(',').map((name) => name.trim().toLowerCase()));
