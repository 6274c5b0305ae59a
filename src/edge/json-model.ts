import { isUtf8 } from 'node:buffer';
import { assertNever } from '../domain/assert-never.ts';
import {
  advanceScan,
  isObject,
  isWholeJson,
  MAX_DEPTH,
  startScan,
  type JsonMembers,
  type ScanFailure,
} from './json-scan.ts';

/** What a request's JSON body asks for, or why that cannot be said, in words for the client. */
export type JsonModel =
  | {
      readonly ok: true;
      readonly model: string;
      readonly stream: boolean;
      /** Where the brace stands that closes the body's object. */
      readonly closedAt: number;
    }
  | { readonly ok: false; readonly reason: string };

/** A longer string (in bytes, quotes and escapes included) is no model's name. */
export const MAX_NAME_BYTES = 8192;

/** The same as `JsonModelReader`, of a whole body. */
export function readJsonModel(body: Buffer): JsonModel {
  const reader = new JsonModelReader();
  reader.read(body, body.length);
  return reader.finish(body.length);
}

const MODEL = Buffer.from('model');
const STREAM = Buffer.from('stream');
const TRUE = Buffer.from('true');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const UNICODE_ESCAPE = 0x75;
/** `\uXXXX`. */
const ESCAPE_LENGTH = 6;
const HEX = 16;
/** The first byte of a byte order mark. */
const MARK = 0xef;

/** What the value of `model` names, or what is wrong with it. */
type ModelName = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly reason: string };

/**
 * Finds `model` and `stream` in the bytes of a JSON object while they arrive, without building the object, and checks that all of
 * it is JSON (RFC 8259). Accepts what `JSON.parse` accepts of UTF-8 text (up to MAX_DEPTH), but one `model` only: parsers differ
 * in which of two they take, and the replica must not be asked for another model than the one that was looked up. Of two
 * `stream` the last one counts, as it does for llama-server (nlohmann json). What llama-server would answer 500, once its model is
 * loaded, is refused here: halves of surrogate pairs, and numbers that are no double.
 */
export class JsonModelReader implements JsonMembers {
  readonly #scan = startScan();
  /** So many bytes were looked at for that. Those after them are too few for a code point: no JSON ends with them. */
  #decoded = 0;
  #isUtf8 = true;
  #startsWithMark = false;
  /** Whose value comes next. */
  #field: 'model' | 'stream' | undefined;
  #models = 0;
  #model: ModelName | undefined;
  #stream = false;

  /** The first `size` of `bytes` have arrived. Those of before are the same, though `bytes` may be another buffer. */
  read(bytes: Buffer, size: number): void {
    this.#decode(bytes, wholeCodePoints(bytes, size));
    if (this.#isUtf8) advanceScan(this.#scan, bytes, size, this);
  }

  /** What was found, now that all `size` bytes have arrived. */
  finish(size: number): JsonModel {
    const reason = this.#problem(size);
    if (reason !== undefined) return { ok: false, reason };
    if (this.#model === undefined) return { ok: false, reason: 'the body has no "model"' };
    if (!this.#model.ok) return this.#model;
    return { ok: true, model: this.#model.name, stream: this.#stream, closedAt: this.#scan.closedAt };
  }

  key(bytes: Buffer, from: number, to: number): void {
    this.#field = spells(bytes, from, to, MODEL) ? 'model' : spells(bytes, from, to, STREAM) ? 'stream' : undefined;
    if (this.#field === 'model') this.#models += 1;
  }

  value(bytes: Buffer, from: number, to: number): void {
    if (this.#field === 'model') this.#model = modelOf(bytes, from, to);
    // No other valid token begins with this byte.
    if (this.#field === 'stream') this.#stream = bytes[from] === TRUE[0];
    this.#field = undefined;
  }

  #decode(bytes: Buffer, end: number): void {
    if (end <= this.#decoded) return;
    if (this.#decoded === 0) this.#startsWithMark = bytes[0] === MARK;
    if (this.#isUtf8)
      this.#isUtf8 = isUtf8(this.#decoded === 0 && end === bytes.length ? bytes : bytes.subarray(this.#decoded, end));
    this.#decoded = end;
  }

  #problem(size: number): string | undefined {
    const { at, failure } = this.#scan;
    if (!this.#isUtf8) return 'the body is not valid UTF-8';
    if (this.#models > 1) return 'the body has "model" more than once';
    if (failure !== undefined) return describeFailure(failure, at, this.#startsWithMark);
    if (!isWholeJson(this.#scan, size)) return 'the body ends too early';
    return isObject(this.#scan) ? undefined : 'the body is not a JSON object';
  }
}

function describeFailure(failure: ScanFailure, at: number, startsWithMark: boolean): string {
  switch (failure) {
    case 'too-deep':
      return `the body is nested deeper than ${MAX_DEPTH} levels`;
    case 'control-character':
      return `a control character in a string at byte ${at}: write it as an escape`;
    case 'half-of-a-pair':
      return `half of a surrogate pair in a string at byte ${at}`;
    case 'too-large':
      return `a number at byte ${at} is too large for a double`;
    case 'unexpected': {
      const hint = startsWithMark && at === 0 ? ' (a byte order mark: leave it out)' : '';
      return `the body is not JSON: unexpected character at byte ${at}${hint}`;
    }
    default:
      return assertNever(failure);
  }
}

/** The end of the last code point that begins in the first `size` bytes and is not cut off by their end. */
function wholeCodePoints(bytes: Buffer, size: number): number {
  for (let back = 1; back <= 3 && back <= size; back += 1) {
    const byte = bytes[size - back];
    if (byte === undefined || byte < 0x80) return size;
    // The lead byte's ones say how long it is (RFC 3629 section 3). Continuation bytes have one.
    const ones = Math.clz32(~(byte << 24));
    if (ones > 1) return ones > back ? size - back : size;
  }
  return size;
}

/** Whether a key, quotes and escapes included, is this name of ASCII letters. */
function spells(bytes: Buffer, from: number, to: number, name: Buffer): boolean {
  let at = from + 1;
  for (const letter of name) {
    const isEscape = bytes[at] === BACKSLASH;
    if (letter !== (isEscape ? escapedUnit(bytes, at) : bytes[at])) return false;
    at += isEscape ? ESCAPE_LENGTH : 1;
  }
  return at === to - 1;
}

/** The code unit of the `\uXXXX` at `at`; `undefined`: it is a shorter escape, which stands for no letter. */
const escapedUnit = (bytes: Buffer, at: number): number | undefined =>
  bytes[at + 1] === UNICODE_ESCAPE
    ? Number.parseInt(bytes.toString('latin1', at + 2, at + ESCAPE_LENGTH), HEX)
    : undefined;

function modelOf(bytes: Buffer, from: number, to: number): ModelName {
  if (bytes[from] !== QUOTE) return { ok: false, reason: '"model" is not a string' };
  if (to - from > MAX_NAME_BYTES) return { ok: false, reason: `"model" is longer than ${MAX_NAME_BYTES} bytes` };
  const name = String(JSON.parse(bytes.toString('utf8', from, to)));
  if (name === '') return { ok: false, reason: '"model" is empty' };
  return { ok: true, name };
}
