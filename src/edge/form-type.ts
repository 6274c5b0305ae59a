/** What divides the parts of a form, as its Content-Type says, or why it does not. */
export type FormBoundary =
  { readonly ok: true; readonly boundary: string } | { readonly ok: false; readonly reason: string };

/** RFC 2046 section 5.1.1: a boundary has at most 70 characters of a few kinds, and does not end with a blank. */
const QUOTED = /^"([0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?])"$/;
/** Those of them that may stand without quotes (RFC 2045 section 5.1). */
const PLAIN = /^([0-9A-Za-z'+_\-.]{1,70})$/;
const FORM = /^multipart\/form-data[ \t]*;[ \t]*boundary=(.*)$/;

/**
 * Takes one spelling only: lower case, `boundary` and no other parameter. llama-server's HTTP library compares both words byte for byte,
 * takes the first of two boundaries, and unquotes in its own way.
 */
export function formBoundary(contentType: string): FormBoundary {
  const written = FORM.exec(contentType)?.[1];
  if (written === undefined) {
    return { ok: false, reason: 'the Content-Type is not multipart/form-data with a boundary and nothing else' };
  }
  const boundary = (QUOTED.exec(written) ?? PLAIN.exec(written))?.[1];
  if (boundary !== undefined) return { ok: true, boundary };
  return { ok: false, reason: 'the boundary in the Content-Type is not one of 1 to 70 characters of RFC 2046' };
}
