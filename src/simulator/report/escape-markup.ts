const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** A text as HTML and SVG have it, inside of elements and of attributes; without the characters that XML cannot hold. */
export const escapeMarkup = (text: string): string =>
  text
    .replaceAll(/[&<>"']/gu, (character) => String(ENTITIES.get(character)))
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/gu, '\uFFFD');
