/**
 * Reads members of a JSON object of which only the beginning or the end is there. The members that it finds are the outermost
 * object's own: a text that looks like one lies in a string, and what lies deeper is passed over.
 */

/** The texts of the values that were looked for, by name; only of values that are objects. */
export type Members = ReadonlyMap<string, string>;

/** A string, or where an object or array begins or ends; `from` its first character, `to` behind its last. */
interface Mark {
  readonly kind: 'begin' | 'end' | 'string';
  readonly from: number;
  readonly to: number;
}

/** `text` ends with the end of the object. Of a name that comes twice the last one counts, as in JSON.parse. */
export function membersFromEnd(text: string, names: readonly string[]): Members {
  const found = new Map<string, string>();
  let depth = 0;
  let value = { from: -1, to: -1 };
  for (const { kind, from, to } of marksFromEnd(text)) {
    if (kind === 'end') {
      depth += 1;
      if (depth === 2) value = { from: -1, to };
    } else if (kind === 'begin') {
      depth -= 1;
      if (depth === 1) value.from = from;
      if (depth === 0) break;
    } else if (depth === 1 && valueAfter(text, to) === value.from) {
      const name = text.slice(from + 1, to - 1);
      if (isWanted(name, names, found) && isObjectAt(text, value.from)) {
        found.set(name, text.slice(value.from, value.to));
      }
    }
    if (found.size === names.length) break;
  }
  return found;
}

const isWanted = (name: string, names: readonly string[], found: Members): boolean =>
  names.includes(name) && !found.has(name);

/** `text` begins with the beginning of the object. */
export function membersFromStart(text: string, names: readonly string[]): Members {
  const found = new Map<string, string>();
  let depth = 0;
  let member: { readonly name: string; readonly from: number } | undefined;
  for (const { kind, from, to } of marksFromStart(text)) {
    if (kind === 'begin') depth += 1;
    else if (kind === 'end') {
      depth -= 1;
      if (depth === 1 && member !== undefined) found.set(member.name, text.slice(member.from, to));
      if (depth <= 1) member = undefined;
      if (depth === 0) break;
    } else if (depth === 1) {
      const [name, value] = [text.slice(from + 1, to - 1), valueAfter(text, to)];
      member = names.includes(name) && isObjectAt(text, value) ? { name, from: value } : undefined;
    }
  }
  return found;
}

/** Ends where a string begins before the text, or may. */
function* marksFromEnd(text: string): Generator<Mark> {
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const kind = kindOf(text.charAt(at));
    if (kind === undefined) continue;
    const from = kind === 'string' ? openingQuote(text, at) : at;
    if (from === undefined) return;
    yield { kind, from, to: at + 1 };
    at = from;
  }
}

/** Ends where a string ends behind the text. */
function* marksFromStart(text: string): Generator<Mark> {
  for (let at = 0; at < text.length; at += 1) {
    const kind = kindOf(text.charAt(at));
    if (kind === undefined) continue;
    const last = kind === 'string' ? closingQuote(text, at) : at;
    if (last === undefined) return;
    yield { kind, from: at, to: last + 1 };
    at = last;
  }
}

function kindOf(character: string): Mark['kind'] | undefined {
  switch (character) {
    case '{':
    case '[':
      return 'begin';
    case '}':
    case ']':
      return 'end';
    case '"':
      return 'string';
    default:
      return undefined;
  }
}

/** A colon with blanks around it (RFC 8259 section 2). */
const COLON = /[ \t\r\n]*:[ \t\r\n]*/uy;

/** Where the value begins whose name ends before `at`; -2: what ends there is no name. */
function valueAfter(text: string, at: number): number {
  COLON.lastIndex = at;
  return COLON.test(text) ? COLON.lastIndex : -2;
}

const isObjectAt = (text: string, at: number): boolean => text.charAt(at) === '{';

function openingQuote(text: string, closing: number): number | undefined {
  for (let at = text.lastIndexOf('"', closing - 1); at > 0; at = text.lastIndexOf('"', at - 1)) {
    const slashes = backslashesBefore(text, at);
    if (at === slashes) return undefined;
    if (slashes % 2 === 0) return at;
  }
  return undefined;
}

function closingQuote(text: string, opening: number): number | undefined {
  for (let at = text.indexOf('"', opening + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    if (backslashesBefore(text, at) % 2 === 0) return at;
  }
  return undefined;
}

/** How many stand directly before `index`: after an odd number of them a quote is part of its string. */
function backslashesBefore(text: string, index: number): number {
  let count = 0;
  while (count < index && text.charAt(index - count - 1) === '\\') count += 1;
  return count;
}
