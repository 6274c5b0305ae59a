const MAX_BYTES = 256;
const CONTROL = /\p{Cc}/u;

/**
 * What keeps `text` from being a model name or an alias; `undefined`: nothing. Names are compared byte for byte and may
 * hold `/`, `:`, `.` and capitals. A comma is refused because llama-server splits its `--alias` there.
 */
export function findNameFault(text: string): string | undefined {
  if (text === '') return 'a model name must not be empty';
  if (!text.isWellFormed()) return 'a model name must be valid Unicode';
  if (Buffer.byteLength(text) > MAX_BYTES) return `a model name has at most ${MAX_BYTES} bytes`;
  if (CONTROL.test(text)) return 'a model name must not hold control characters';
  if (text.trim() !== text) return 'a model name must not begin or end with blanks';
  if (text.includes(',')) return 'a model name must not hold a comma, at which llama-server splits names';
  return undefined;
}
