import { isFiniteNumber, isWholeNumber, NUMBER_NEXT } from './json-number.ts';

/** Deeper nesting is refused: a parser that recurses (a replica's, a client's) would run out of stack. */
export const MAX_DEPTH = 128;

/** What is wrong with a text, at the scan's `at`. */
export type ScanFailure = 'unexpected' | 'control-character' | 'half-of-a-pair' | 'too-large' | 'too-deep';

/** Told of each key and value of the outermost object: `from` to `to`, with the quotes of a string. */
export interface JsonMembers {
  key(bytes: Buffer, from: number, to: number): void;
  value(bytes: Buffer, from: number, to: number): void;
}

/** Where the scan of a JSON text stands. */
export interface JsonScan {
  /** What has been looked at. A few bytes wait where they are the beginning of something that is judged as a whole. */
  at: number;
  state: State;
  failure: ScanFailure | undefined;
  /** Containers around `at`. */
  depth: number;
  /** For each depth the byte that closes its container; outside of all, NOTHING. */
  readonly closers: number[];
  /** Of a number: its last part, see NUMBER_NEXT. */
  part: number;
  /** Where the last number began. */
  number: number;
  /** Where the last key or value of the outermost container began. */
  start: number;
  /** Where that container was closed. */
  closedAt: number;
}

/** What may come next, or what the next byte is in the middle of. A container may close in the first three. */
const AFTER_VALUE = 0;
const FIRST_ITEM = 1;
const FIRST_KEY = 2;
const VALUE = 3;
const KEY = 4;
const COLON = 5;
const NUMBER = 6;
const TEXT = 7;
const KEY_TEXT = 8;
type State =
  | typeof AFTER_VALUE
  | typeof FIRST_ITEM
  | typeof FIRST_KEY
  | typeof VALUE
  | typeof KEY
  | typeof COLON
  | typeof NUMBER
  | typeof TEXT
  | typeof KEY_TEXT;

const NOTHING = -1;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON_SIGN = 0x3a;
const UNICODE_ESCAPE = 0x75;
const HEX_DIGITS = 4;
/** `\uXXXX`. */
const ESCAPE_LENGTH = 2 + HEX_DIGITS;
/** Runs of plain text are looked at by bytes up to here, and then by words. */
const SHORT_RUN = 32;
const EACH_1 = 0x01010101;
const EACH_BLANK = 0x20202020;
const EACH_QUOTE = 0x22222222;
const EACH_BACKSLASH = 0x5c5c5c5c;
const EACH_HIGHEST_BIT = 0x80808080;

const tableOf = (holds: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
const among = (characters: string): Uint8Array => tableOf((byte) => characters.includes(String.fromCharCode(byte)));
/** 1 for each byte that stands for itself in a string. */
const PLAIN = tableOf((byte) => byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH);
const BLANK = among(' \t\r\n');
const SIMPLE_ESCAPE = among('"\\/bfnrt');
const HEX = among('0123456789abcdefABCDEF');
const LETTER_D = among('dD');
const HEX_FROM_8 = among('89abcdefABCDEF');
const HEX_FROM_C = among('cdefCDEF');
const LOW_HALF = [among('\\'), among('u'), LETTER_D, HEX_FROM_C, HEX, HEX];
/** By their first byte. */
const WORDS = Array.from({ length: 256 }, (_, byte) =>
  ['true', 'false', 'null'].map((word) => Buffer.from(word)).find(([first]) => first === byte),
);

export function startScan(): JsonScan {
  const closers = [NOTHING];
  return { at: 0, state: VALUE, failure: undefined, depth: 0, closers, part: 0, number: 0, start: 0, closedAt: 0 };
}

/** Whether a text of `size` bytes has been looked at and is JSON. */
export const isWholeJson = ({ at, state, failure, depth, part }: JsonScan, size: number): boolean =>
  failure === undefined &&
  at === size &&
  depth === 0 &&
  (state === AFTER_VALUE || (state === NUMBER && isWholeNumber(part)));

/** Whether the outermost value is an object; once it has begun. */
export const isObject = ({ closers }: JsonScan): boolean => closers[1] === CLOSE_OBJECT;

/**
 * Looks at what is new of the first `size` bytes, until something is wrong: RFC 8259, and what a parser may make of it that has doubles
 * for numbers and Unicode for texts, which nlohmann json then refuses as a whole. One function over local variables and tables:
 * each byte of each body goes through it. `npm run bench -- bodies` measures what it takes.
 */
export function advanceScan(scan: JsonScan, bytes: Buffer, size: number, members: JsonMembers): void {
  const { closers } = scan;
  const words = wordsOf(bytes);
  let { at, state, failure, depth, part, number } = scan;
  let closer = closers[depth];
  scanning: while (at < size && failure === undefined) {
    if (state >= TEXT) {
      at = textEnd(bytes, words, at, size);
      if (at === size) break;
      if (bytes[at] !== QUOTE) {
        const problem = textProblem(bytes, at, size);
        if (problem !== undefined) ({ at, failure } = problem);
        break;
      }
      at += 1;
      if (state === KEY_TEXT) {
        state = COLON;
        if (depth === 1) members.key(bytes, scan.start, at);
      } else {
        state = AFTER_VALUE;
        if (depth === 1) members.value(bytes, scan.start, at);
      }
      continue;
    }
    let byte = bytes[at];
    if (state === NUMBER) {
      let next = nextNumberPart(part, byte);
      while (next > 0) {
        part = next;
        at += 1;
        if (at === size) break scanning;
        byte = bytes[at];
        next = nextNumberPart(part, byte);
      }
      if (!isWholeNumber(part)) {
        failure = 'unexpected';
        break;
      }
      if (!isFiniteNumber(part, bytes, number, at)) {
        failure = 'too-large';
        at = number;
        break;
      }
      state = AFTER_VALUE;
      if (depth === 1) members.value(bytes, scan.start, at);
    }
    if (byte === undefined) break;
    if (BLANK[byte] === 1) {
      at += 1;
      continue;
    }
    if (byte === closer && state <= FIRST_KEY) {
      at += 1;
      depth -= 1;
      closer = closers[depth];
      state = AFTER_VALUE;
      if (depth === 1) members.value(bytes, scan.start, at);
      if (depth === 0) scan.closedAt = at - 1;
      continue;
    }
    if (state === AFTER_VALUE) {
      if (byte === COMMA && depth > 0) {
        at += 1;
        state = closer === CLOSE_OBJECT ? KEY : VALUE;
      } else failure = 'unexpected';
    } else if (state === COLON) {
      if (byte === COLON_SIGN) {
        at += 1;
        state = VALUE;
      } else failure = 'unexpected';
    } else if (state === KEY || state === FIRST_KEY) {
      if (byte === QUOTE) {
        if (depth === 1) scan.start = at;
        at += 1;
        state = KEY_TEXT;
      } else failure = 'unexpected';
    } else {
      if (depth === 1) scan.start = at;
      if (byte === QUOTE) {
        at += 1;
        state = TEXT;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (depth < MAX_DEPTH) {
          at += 1;
          depth += 1;
          closer = byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
          closers[depth] = closer;
          state = byte === OPEN_OBJECT ? FIRST_KEY : FIRST_ITEM;
        } else failure = 'too-deep';
      } else if (nextNumberPart(0, byte) > 0) {
        part = 0;
        number = at;
        state = NUMBER;
      } else {
        const word = WORDS[byte];
        const alike = word === undefined ? 0 : alikeBytes(bytes, at, size, word);
        if (alike > 0 && alike === word?.length) {
          at += alike;
          state = AFTER_VALUE;
          if (depth === 1) members.value(bytes, scan.start, at);
        } else if (at + alike < size) {
          at += alike;
          failure = 'unexpected';
        } else break; // The rest of the word has not come yet.
      }
    }
  }
  scan.at = at;
  scan.state = state;
  scan.failure = failure;
  scan.depth = depth;
  scan.part = part;
  scan.number = number;
}

/** See NUMBER_NEXT; 0: the byte does not belong to the number. */
function nextNumberPart(part: number, byte: number | undefined): number {
  const next = byte === undefined ? 0 : NUMBER_NEXT[part * 256 + byte];
  return next === undefined ? 0 : next;
}

/** The next byte from `from` on that is neither plain text nor part of a whole escape, or `size`. `from` is below `size`. */
function textEnd(bytes: Buffer, words: Int32Array | undefined, from: number, size: number): number {
  let at = from;
  let limit = shortRunEnd(at, size);
  while (at < size) {
    let byte = bytes[at];
    while (byte !== undefined && PLAIN[byte] === 1) {
      at += 1;
      if (at === limit) break;
      byte = bytes[at];
    }
    if (at === limit) {
      if (words !== undefined) at = plainWordsEnd(words, at, size);
      limit = shortRunEnd(at, size);
      continue;
    }
    if (byte !== BACKSLASH || at + 1 === size) return at;
    const escaped = bytes[at + 1];
    if (escaped === undefined) return at;
    const length = SIMPLE_ESCAPE[escaped] === 1 ? 2 : unicodeLength(bytes, at, size);
    if (length === 0) return at;
    at += length;
    if (at >= limit) limit = shortRunEnd(at, size);
  }
  return at;
}

/** The beginning of a word a short run after `at`, or `size`. */
const shortRunEnd = (at: number, size: number): number => Math.min(size, (at + SHORT_RUN) & ~3);

/** A view on the bytes, four at a time, if they lie so that there is one. */
const wordsOf = ({ buffer, byteOffset, length }: Buffer): Int32Array | undefined =>
  byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >> 2) : undefined;

/**
 * Goes on from `at` by whole words, as long as all of their bytes stand for themselves: that of eight MB of base64 takes an eighth of
 * the time. A byte of a word is below n where `(word - n of each) & ~word` has its highest bit; it is equal to m where it is so of
 * `word ^ m of each` and 1 (Hacker's Delight, section 6-1). Neither m has the highest bit itself, so that one `& ~word` serves all.
 */
function plainWordsEnd(words: Int32Array, at: number, size: number): number {
  if (at % 4 !== 0) return at;
  const end = size >> 2;
  let index = at >> 2;
  while (index < end) {
    const word = words[index];
    if (word === undefined) break;
    const special = (word - EACH_BLANK) | ((word ^ EACH_QUOTE) - EACH_1) | ((word ^ EACH_BACKSLASH) - EACH_1);
    if ((special & ~word & EACH_HIGHEST_BIT) !== 0) break;
    index += 1;
  }
  return index << 2;
}

/** Of the whole escape of a code point at `at`, a surrogate pair or not; 0: there is none, or it has not all come. */
function unicodeLength(bytes: Buffer, at: number, size: number): number {
  if (bytes[at + 1] !== UNICODE_ESCAPE || hexDigits(bytes, at + 2, size) < HEX_DIGITS) return 0;
  if (!isSurrogate(bytes, at)) return ESCAPE_LENGTH;
  const isPair = isHighHalf(bytes, at) && lowHalf(bytes, at + ESCAPE_LENGTH, size) === ESCAPE_LENGTH;
  return isPair ? 2 * ESCAPE_LENGTH : 0;
}

/** Whether the `\uXXXX` at `at` is half of a surrogate pair: D800 to DFFF. */
const isSurrogate = (bytes: Buffer, at: number): boolean =>
  isAt(LETTER_D, bytes, at + 2) && isAt(HEX_FROM_8, bytes, at + 3);

/** Whether one that is begins a pair: D800 to DBFF. */
const isHighHalf = (bytes: Buffer, at: number): boolean => !isAt(HEX_FROM_C, bytes, at + 3);

function isAt(table: Uint8Array, bytes: Buffer, at: number): boolean {
  const byte = bytes[at];
  return byte !== undefined && table[byte] === 1;
}

/** So many bytes from `at` on, of the first `size`, are those of an escape that ends a pair: DC00 to DFFF. */
function lowHalf(bytes: Buffer, at: number, size: number): number {
  let alike = 0;
  for (const table of LOW_HALF) {
    if (at + alike >= size || !isAt(table, bytes, at + alike)) break;
    alike += 1;
  }
  return alike;
}

/** Hex digits from `at` on, as far as an escape may have them. */
function hexDigits(bytes: Buffer, at: number, size: number): number {
  let digits = 0;
  while (digits < HEX_DIGITS && at + digits < size) {
    const byte = bytes[at + digits];
    if (byte === undefined || HEX[byte] !== 1) break;
    digits += 1;
  }
  return digits;
}

/** What is wrong where `textEnd` stopped before a quote. `undefined`: nothing; it is an escape that has not all come. */
function textProblem(bytes: Buffer, at: number, size: number): { at: number; failure: ScanFailure } | undefined {
  if (bytes[at] !== BACKSLASH) return { at, failure: 'control-character' };
  const digits = bytes[at + 1] === UNICODE_ESCAPE ? hexDigits(bytes, at + 2, size) : 0;
  if (digits === HEX_DIGITS) return isLoneHalf(bytes, at, size) ? { at, failure: 'half-of-a-pair' } : undefined;
  const wrong = bytes[at + 1] === UNICODE_ESCAPE ? at + 2 + digits : at + 1;
  return wrong < size ? { at: wrong, failure: 'unexpected' } : undefined;
}

/** Whether the surrogate at `at` is no whole pair, whatever may still come. */
function isLoneHalf(bytes: Buffer, at: number, size: number): boolean {
  if (!isHighHalf(bytes, at)) return true;
  const next = at + ESCAPE_LENGTH;
  return next + lowHalf(bytes, next, size) < size;
}

/** So many bytes from `at` on, of the first `size`, are those of the word. */
function alikeBytes(bytes: Buffer, at: number, size: number, word: Buffer): number {
  let alike = 0;
  while (alike < word.length && at + alike < size && bytes[at + alike] === word[alike]) alike += 1;
  return alike;
}
