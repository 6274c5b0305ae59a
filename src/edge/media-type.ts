import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from './refusal.ts';

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

const FORM = /^\s*multipart\//i;

/**
 * Refuses bodies that cannot be what is asked for: JSON in UTF-8, or a form. Lenient with JSON otherwise, as llama-server is: curl sends
 * it as a form's type. `undefined`: nothing is wrong.
 */
export function mediaTypeProblem(headers: IncomingHttpHeaders, wanted: 'json' | 'form'): Refusal | undefined {
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return unsupported(`the body is encoded as ${JSON.stringify(encoding)}: send it without Content-Encoding`);
  }
  const isForm = type !== undefined && FORM.test(type);
  if (wanted === 'form') return isForm ? undefined : unsupported('the body is no form: send multipart/form-data');
  if (isForm) return unsupported('the body is multipart: send JSON');
  if (type === undefined) return undefined;
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
