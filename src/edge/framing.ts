import type { IncomingMessage } from 'node:http';
import type { EdgeLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';

const refused = (message: string, status = 400): Refusal => ({ status, code: 'bad_request', message, close: true });

/** Of these there may be one line only: Node keeps the first of two, another program the last. A bit for each. */
const ONCE: ReadonlyMap<string, number> = new Map(
  [
    'host',
    'content-type',
    'content-length',
    'content-encoding',
    'transfer-encoding',
    'authorization',
    'x-api-key',
    'expect',
  ].map((name, index) => [name, 1 << index]),
);
/**
 * A host and perhaps a port (RFC 9112 section 3.2, RFC 3986 section 3.2.2), or nothing. Without the sub-delimiters, which no
 * name of a host has, and a comma could stand for two hosts.
 */
const HOST = /^(?:(?:[\w.~-]|%[\da-f]{2})*|\[[\da-f:.]+\])(?::\d{0,5})?$/i;
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what Node's parser lets pass but two HTTP programs in a row might read in two ways (request smuggling,
 * RFC 9112 sections 3.2 and 6.1). `undefined`: nothing is wrong.
 */
export function framingProblem(req: IncomingMessage, { maxHeaderLines }: EdgeLimits): Refusal | undefined {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') return refused('HTTP/1.1 is spoken here', 505);
  if (req.rawHeaders.length > 2 * maxHeaderLines) return TOO_MANY_LINES;
  return headerProblem(req) ?? targetProblem(req);
}

export const HEAD_TOO_LARGE: Refusal = {
  status: 431,
  code: 'head_too_large',
  message: "the request's head is too large",
  close: true,
};
const TOO_MANY_LINES: Refusal = { ...HEAD_TOO_LARGE, message: "the request's head has too many lines" };

function headerProblem(req: IncomingMessage): Refusal | undefined {
  // Mostly there are as many names as lines.
  const names = Object.keys(req.headers).length;
  const repeated = 2 * names === req.rawHeaders.length ? undefined : repeatedHeader(req.rawHeaders);
  if (repeated !== undefined) return refused(`more than one ${repeated} header`);
  const { host, expect, 'transfer-encoding': coding } = req.headers;
  if (host === undefined ? req.httpVersion === '1.1' : !HOST.test(host)) {
    return refused('the Host header is missing, or is not a host and a port');
  }
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || req.httpVersion === '1.0')) {
    return refused('the only transfer coding is chunked, in HTTP/1.1');
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return UNEXPECTED;
  if (hasBody(req) && WITHOUT_BODY.has(String(req.method))) return refused(`a ${req.method} request has no body`);
  return undefined;
}

const UNEXPECTED: Refusal = refused('the only expectation that is met is 100-continue', 417);

const targetProblem = ({ url }: IncomingMessage): Refusal | undefined =>
  url?.startsWith('/') !== true || url.includes('#') ? refused('the request target is not a path') : undefined;

/** Whether a body follows the head. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/** `rawHeaders` holds names and values in turn; the parsed headers hide a second value. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    const bit = name === undefined ? undefined : ONCE.get(name.toLowerCase());
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) return name;
    seen |= bit;
  }
  return undefined;
}
