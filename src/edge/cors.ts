import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './refusal.ts';

/**
 * Who may call from a page of another origin (https://fetch.spec.whatwg.org/#http-cors-protocol), by the options and
 * defaults of llama-server (tools/server/server-http.cpp).
 */
export interface CorsPolicy {
  /** `*`: all. Else origins such as `https://a.example`, and `localhost` for this machine's, whatever their port. */
  readonly origins: '*' | readonly string[];
  /** For preflights, as the header has them. */
  readonly methods: string;
  /** For preflights, as the header has them. `*`: all that are asked for. */
  readonly headers: string;
  /** Pages may send what the browser keeps: cookies and the like. */
  readonly credentials: boolean;
}

export const DEFAULT_CORS: CorsPolicy = {
  origins: '*',
  methods: 'GET, POST, DELETE, OPTIONS',
  headers: '*',
  credentials: true,
};

/** What pages may read of an answer's head, beside the few headers that they always may. */
const EXPOSED = 'x-request-id, retry-after, x-corral-queue-ms, x-corral-load-ms';

/** Names of headers, separated by commas (RFC 9110 section 5.1). */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/u;

/** Sets what every answer to a page of another origin needs, errors too. A request without an origin costs nothing. */
export function allowOrigin(policy: CorsPolicy, req: IncomingMessage, res: ServerResponse): void {
  const { origin } = req.headers;
  if (origin === undefined) return;
  if (isForAll(policy)) res.setHeader('access-control-allow-origin', '*');
  else {
    res.setHeader('vary', 'origin');
    if (!isAllowed(policy, origin)) return;
    res.setHeader('access-control-allow-origin', origin);
  }
  res.setHeader('access-control-expose-headers', EXPOSED);
  // As llama-server: where every origin is allowed, only preflights speak of credentials, so that browsers refuse the answer.
  if (policy.credentials && policy.origins !== '*') res.setHeader('access-control-allow-credentials', 'true');
}

/** What a preflight's answer has besides, as pairs. `allowOrigin` has said whether its page may. */
export function preflightHeaders(policy: CorsPolicy, req: IncomingMessage): readonly (readonly [string, string])[] {
  if (req.headers.origin === undefined) return [];
  return [
    ['access-control-allow-methods', policy.methods],
    ['access-control-allow-headers', allowedHeaders(policy, req)],
    ...(policy.credentials ? [['access-control-allow-credentials', 'true'] as const] : []),
  ];
}

/**
 * Refuses what a page asks that the list does not name: without the headers of `allowOrigin` its browser keeps the answer from it, but carries
 * out what needs no preflight (https://fetch.spec.whatwg.org/#http-cors-protocol), and a page whose own name was led here (DNS rebinding) asks for
 * none. Where a browser says no origin, as for an image or a link, it says whether another site asks
 * (https://www.w3.org/TR/fetch-metadata/). Preflights are answered: those do nothing. Other programs send neither header.
 */
export function originProblem(policy: CorsPolicy, { method, headers }: IncomingMessage): Refusal | undefined {
  if (policy.origins === '*' || method === 'OPTIONS') return undefined;
  const { origin, 'sec-fetch-site': site } = headers;
  const isOurs = origin === undefined ? site === undefined || OF_NO_OTHER.has(site) : isAllowed(policy, origin);
  return isOurs ? undefined : ORIGIN_NOT_ALLOWED;
}

/** What `Sec-Fetch-Site` says where no page of another origin asks: its user does, or a page of this one. */
const OF_NO_OTHER: ReadonlySet<string> = new Set(['none', 'same-origin']);

const ORIGIN_NOT_ALLOWED: Refusal = {
  status: 403,
  code: 'origin_not_allowed',
  type: 'permission_error',
  message: 'the page that asks is none of those that may call here (--cors-origins)',
};

/** One answer serves all: no page may send credentials. */
const isForAll = ({ origins, credentials }: CorsPolicy): boolean => origins === '*' && !credentials;

const isAllowed = ({ origins }: CorsPolicy, origin: string): boolean =>
  origins === '*' || origins.some((one) => (one === 'localhost' ? isLocalhost(origin) : one === origin));

/** As llama-server's `localhost`: any scheme, any port. */
function isLocalhost(origin: string): boolean {
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  return host === 'localhost' || host === '127.0.0.1' || host === '[::1]';
}

/** Browsers do not count Authorization among `*`, nor `*` at all with credentials: so they get what they ask for. */
function allowedHeaders({ headers }: CorsPolicy, req: IncomingMessage): string {
  const asked = req.headers['access-control-request-headers'];
  return headers === '*' && asked !== undefined && HEADER_NAMES.test(asked) ? asked : headers;
}
