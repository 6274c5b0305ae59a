import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';

const refused = (message: string, status = 400): Refusal => ({ status, code: 'bad_request', message, close: true });

/**
 * Refuses what Node's parser lets pass but two HTTP programs in a row might read in two ways (request smuggling,
 * RFC 9112 sections 3.2 and 6.1). `undefined`: nothing is wrong.
 */
export function framingProblem(req: IncomingMessage): Refusal | undefined {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0') return refused('HTTP/1.1 is spoken here', 505);
  if (occurrences(req, 'host') > 1) return refused('more than one Host header');
  if (occurrences(req, 'content-type') > 1) return refused('more than one Content-Type header');
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || req.httpVersion === '1.0')) {
    return refused('the only transfer coding is chunked, in HTTP/1.1');
  }
  if (req.url?.startsWith('/') !== true || req.url.includes('#')) return refused('the request target is not a path');
  return undefined;
}

/** Whether a body follows the head. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/** `rawHeaders` holds names and values in turn; the parsed headers hide a second value. */
const occurrences = (req: IncomingMessage, name: string): number =>
  req.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
