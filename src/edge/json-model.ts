import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertNever } from '../domain/assert-never.ts';
import { firstNumberByte, isDigit, isWholeNumber, nextNumberByte, type NumberState } from './json-number.ts';

/** The `model` of a request body and whether it asks for a `stream`, or why there is none, in words for the client. */
export type JsonModel =
  | { readonly ok: true; readonly model: string; readonly stream: boolean }
  | { readonly ok: false; readonly reason: string };

/** Deeper nesting is refused: a parser that recurses (a replica's, a client's) would run out of stack. */
export const MAX_DEPTH = 128;
/** A longer string (in bytes, quotes and escapes included) is no model's name. */
export const MAX_NAME_BYTES = 8192;
/** Bytes looked at before other requests get their turn: a few milliseconds, also where every byte is punctuation. */
const BYTES_PER_TURN = 256 * 1024;

/**
 * Finds `model` in a JSON object's bytes without building the object, and checks that all of it is JSON (RFC 8259).
 * Accepts what `JSON.parse` accepts of UTF-8 text (up to MAX_DEPTH), but one `model` only: parsers differ in which of two
 * they take, and the replica must not be asked for another model than the one that was looked up.
 */
export async function readJsonModel(body: Buffer): Promise<JsonModel> {
  if (!isUtf8(body)) return { ok: false, reason: 'the body is not valid UTF-8' };
  const scan = new ModelScan(body);
  while (!scan.advance(BYTES_PER_TURN)) await nextTurn();
  return scan.result();
}

/** What the scan is in the middle of. */
type Mode = 'between' | 'string' | 'word' | 'number';
/** Between two tokens: what may come next. */
type Expected = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'after';
/** In a string: what the next byte belongs to. */
type StringPart = 'text' | 'escape' | 'hex';

const code = (character: string): number => character.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code('\\');
const OPEN_OBJECT = code('{');
const CLOSE_OBJECT = code('}');
const OPEN_ARRAY = code('[');
const CLOSE_ARRAY = code(']');
const COMMA = code(',');
const COLON = code(':');
const UNICODE_ESCAPE = code('u');
const SIMPLE_ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
const WORDS = new Map(['true', 'false', 'null'].map((word) => [code(word), Buffer.from(word)]));
const TRUE = Buffer.from('true');
/** `"stream"` with each letter written as `\uXXXX`. */
const MAX_KEY_BYTES = 2 + 6 * 6;

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isHex = (byte: number): boolean => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);

/** A state machine over the bytes that can stop after any of them. */
class ModelScan {
  readonly #bytes: Buffer;
  #at = 0;
  #mode: Mode = 'between';
  #expected: Expected = 'value';
  #failure: string | undefined;
  /** The containers around `#at`, outermost first: true for an object. */
  readonly #objects: boolean[] = [];
  #rootIsObject = false;

  #stringPart: StringPart = 'text';
  #stringIsKey = false;
  #hexLeft = 0;
  #word: Buffer = Buffer.alloc(0);
  #wordAt = 0;
  #number: NumberState = 'zero';

  #keyStart = 0;
  /** What the value that comes next, or is being read, is of the outermost object; `undefined`: nothing we look for. */
  #field: 'model' | 'stream' | undefined;
  #fieldStart = 0;
  #model: ModelName | undefined;
  #stream = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Looks at up to `count` more bytes. True: all were looked at, or the body is refused. */
  advance(count: number): boolean {
    const end = Math.min(this.#bytes.length, this.#at + count);
    while (this.#at < end && this.#failure === undefined) {
      if (this.#mode === 'string' && this.#stringPart === 'text') this.#skipPlain(end);
      const byte = this.#at < end ? this.#bytes[this.#at] : undefined;
      if (byte === undefined) break;
      this.#step(byte);
      this.#at += 1;
    }
    return this.#failure !== undefined || this.#at === this.#bytes.length;
  }

  result(): JsonModel {
    if (this.#failure === undefined && !this.#isComplete()) this.#fail('the body ends too early');
    if (this.#failure !== undefined) return { ok: false, reason: this.#failure };
    if (!this.#rootIsObject) return { ok: false, reason: 'the body is not a JSON object' };
    if (this.#model === undefined) return { ok: false, reason: 'the body has no "model"' };
    return this.#model.ok ? { ...this.#model, stream: this.#stream } : this.#model;
  }

  #isComplete(): boolean {
    if (this.#objects.length > 0) return false;
    if (this.#mode === 'number') return isWholeNumber(this.#number);
    return this.#mode === 'between' && this.#expected === 'after';
  }

  /** Goes to the string's next quote, backslash or control character: most bytes of most bodies are text. */
  #skipPlain(end: number): void {
    let at = this.#at;
    while (at < end) {
      const byte = this.#bytes[at];
      if (byte === undefined || byte === QUOTE || byte === BACKSLASH || byte < 0x20) break;
      at += 1;
    }
    this.#at = at;
  }

  #step(byte: number): void {
    switch (this.#mode) {
      case 'between':
        if (!isBlank(byte)) this.#stepBetween(byte);
        return;
      case 'string':
        this.#stepString(byte);
        return;
      case 'word':
        this.#stepWord(byte);
        return;
      case 'number':
        this.#stepNumber(byte);
        return;
      default:
        assertNever(this.#mode);
    }
  }

  #stepBetween(byte: number): void {
    switch (this.#expected) {
      case 'value':
        this.#startValue(byte);
        return;
      case 'first-item':
        if (byte === CLOSE_ARRAY) this.#close();
        else this.#startValue(byte);
        return;
      case 'first-key':
        if (byte === CLOSE_OBJECT) this.#close();
        else this.#startKey(byte);
        return;
      case 'key':
        this.#startKey(byte);
        return;
      case 'colon':
        if (byte === COLON) this.#expect('value');
        else this.#unexpected();
        return;
      case 'after':
        this.#afterValue(byte);
        return;
      default:
        assertNever(this.#expected);
    }
  }

  #expect(next: Expected): void {
    this.#mode = 'between';
    this.#expected = next;
  }

  #startValue(byte: number): void {
    if (this.#field !== undefined && this.#objects.length === 1) this.#fieldStart = this.#at;
    const word = WORDS.get(byte);
    if (byte === QUOTE) this.#startString(false);
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#open(byte === OPEN_OBJECT);
    else if (word !== undefined) this.#startWord(word);
    else this.#startNumber(byte);
  }

  #open(isObject: boolean): void {
    if (this.#objects.length === MAX_DEPTH) {
      this.#fail(`the body is nested deeper than ${MAX_DEPTH} levels`);
      return;
    }
    if (this.#objects.length === 0) this.#rootIsObject = isObject;
    this.#objects.push(isObject);
    this.#expect(isObject ? 'first-key' : 'first-item');
  }

  #close(): void {
    this.#objects.pop();
    this.#endValue();
  }

  #afterValue(byte: number): void {
    const inObject = this.#objects.at(-1);
    if (inObject === undefined) this.#unexpected();
    else if (byte === COMMA) this.#expect(inObject ? 'key' : 'value');
    else if (byte === (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) this.#close();
    else this.#unexpected();
  }

  #endValue(): void {
    this.#expect('after');
    if (this.#field === undefined || this.#objects.length !== 1) return;
    const token = this.#bytes.subarray(this.#fieldStart, this.#at + 1);
    if (this.#field === 'model') this.#model = modelOf(token);
    else this.#stream = token.equals(TRUE);
    this.#field = undefined;
  }

  #startKey(byte: number): void {
    this.#keyStart = this.#at;
    if (byte === QUOTE) this.#startString(true);
    else this.#unexpected();
  }

  #startString(isKey: boolean): void {
    this.#mode = 'string';
    this.#stringPart = 'text';
    this.#stringIsKey = isKey;
  }

  #stepString(byte: number): void {
    if (this.#stringPart === 'hex') this.#stepHex(byte);
    else if (this.#stringPart === 'escape') this.#stepEscape(byte);
    else if (byte === BACKSLASH) this.#stringPart = 'escape';
    else if (byte !== QUOTE) this.#fail(`a control character in a string at byte ${this.#at}: write it as an escape`);
    else if (this.#stringIsKey) this.#endKey();
    else this.#endValue();
  }

  #stepEscape(byte: number): void {
    if (byte === UNICODE_ESCAPE) {
      this.#hexLeft = 4;
      this.#stringPart = 'hex';
    } else if (SIMPLE_ESCAPES.has(byte)) this.#stringPart = 'text';
    else this.#unexpected();
  }

  #stepHex(byte: number): void {
    if (!isHex(byte)) {
      this.#unexpected();
      return;
    }
    this.#hexLeft -= 1;
    if (this.#hexLeft === 0) this.#stringPart = 'text';
  }

  #endKey(): void {
    this.#expect('colon');
    if (this.#objects.length !== 1) return;
    const key = this.#bytes.subarray(this.#keyStart, this.#at + 1);
    if (key.length > MAX_KEY_BYTES) return;
    const name = unescape(key);
    if (name === 'model' && this.#model !== undefined) this.#fail('the body has "model" more than once');
    if (name === 'model' || name === 'stream') this.#field = name;
  }

  #startWord(word: Buffer): void {
    this.#mode = 'word';
    this.#word = word;
    this.#wordAt = 1;
  }

  #stepWord(byte: number): void {
    if (byte !== this.#word[this.#wordAt]) {
      this.#unexpected();
      return;
    }
    this.#wordAt += 1;
    if (this.#wordAt === this.#word.length) this.#endValue();
  }

  #startNumber(byte: number): void {
    const state = firstNumberByte(byte);
    if (state === undefined) {
      this.#unexpected();
      return;
    }
    this.#mode = 'number';
    this.#number = state;
  }

  /** A number has no end of its own: the byte after it is looked at again as what it is. */
  #stepNumber(byte: number): void {
    const next = nextNumberByte(this.#number, byte);
    if (next !== undefined) {
      this.#number = next;
      return;
    }
    if (!isWholeNumber(this.#number)) {
      this.#unexpected();
      return;
    }
    this.#endValue();
    this.#step(byte);
  }

  #unexpected(): void {
    const hint = this.#at === 0 && this.#bytes[0] === 0xef ? ' (a byte order mark: leave it out)' : '';
    this.#fail(`the body is not JSON: unexpected character at byte ${this.#at}${hint}`);
  }

  #fail(reason: string): void {
    this.#failure = reason;
  }
}

/** What the value of `model` names, or what is wrong with it. */
type ModelName = { readonly ok: true; readonly model: string } | { readonly ok: false; readonly reason: string };

function modelOf(token: Buffer): ModelName {
  if (token[0] !== QUOTE) return { ok: false, reason: '"model" is not a string' };
  if (token.length > MAX_NAME_BYTES) return { ok: false, reason: `"model" is longer than ${MAX_NAME_BYTES} bytes` };
  const model = unescape(token);
  if (model === '') return { ok: false, reason: '"model" is empty' };
  if (!model.isWellFormed()) return { ok: false, reason: '"model" holds half of a surrogate pair' };
  return { ok: true, model };
}

/** The text of a string token that the scan has found valid. */
const unescape = (token: Buffer): string => String(JSON.parse(token.toString('utf8')));
