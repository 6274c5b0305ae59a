/** The key that a request came with. */
export type PresentedKey =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly key: string }
  /** Which one counts would be anybody's guess. */
  | { readonly kind: 'several' };

const BEARER = 'bearer ';

/**
 * Reads the key of a request's raw headers, names and values in turn: of `Authorization: Bearer …` and of `x-api-key`, which
 * Anthropic's clients send. The same key may be there more than once. Another scheme is meant for somebody else, and an
 * empty value is none.
 */
export function readPresentedKey(rawHeaders: readonly string[]): PresentedKey {
  let found: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const key = keyIn(rawHeaders[at], rawHeaders[at + 1]);
    if (key === undefined) continue;
    if (found !== undefined && found !== key) return { kind: 'several' };
    found = key;
  }
  return found === undefined ? { kind: 'none' } : { kind: 'one', key: found };
}

function keyIn(name: string | undefined, value: string | undefined): string | undefined {
  if (name === undefined || value === undefined || value === '') return undefined;
  // By length first: this runs over every header of every request.
  if (name.length === 9 && name.toLowerCase() === 'x-api-key') return value;
  if (name.length === 13 && name.toLowerCase() === 'authorization') return bearerOf(value);
  return undefined;
}

/** The scheme is compared without regard to case (RFC 9110 section 11.1), and ends at one space or more (RFC 6750 section 2.1). */
function bearerOf(value: string): string | undefined {
  if (value.slice(0, BEARER.length).toLowerCase() !== BEARER) return undefined;
  let begin = BEARER.length;
  while (value[begin] === ' ') begin += 1;
  return value.slice(begin);
}
