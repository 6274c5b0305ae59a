import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from './refusal.ts';

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

/**
 * Refuses bodies that cannot be JSON in UTF-8. Lenient otherwise, as llama-server is: curl sends JSON as a form's type.
 * `undefined`: nothing is wrong.
 */
export function mediaTypeProblem(headers: IncomingHttpHeaders): Refusal | undefined {
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return unsupported(`the body is encoded as ${JSON.stringify(encoding)}: send it without Content-Encoding`);
  }
  if (type === undefined) return undefined;
  if (/^\s*multipart\//i.test(type)) return unsupported('the body is multipart: send JSON');
  const charset = CHARSET.exec(type)?.[1];
  if (charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset)) return undefined;
  return unsupported(`the body is in the charset ${JSON.stringify(charset)}: send it in UTF-8`);
}

/** The body was not read. */
const unsupported = (message: string): Refusal => ({
  status: 415,
  code: 'unsupported_media_type',
  message,
  close: true,
});
