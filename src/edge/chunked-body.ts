import { isNameByte, ProtocolError } from './response-head.ts';

/** What the next byte belongs to, between the data, */
type ChunkPart = 'size' | 'extension' | 'end of size' | 'end of data' | 'end of line of data';
/** behind it, */
type TrailerPart = 'line of trailer' | 'name of trailer' | 'trailer' | 'end of trailer' | 'last line end';
/** and in all. */
type Part = 'data' | ChunkPart | TrailerPart | 'nothing';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;
/** Hexadecimal digits of one size: more would not be exact. */
const MAX_DIGITS = 13;
/** Bytes of everything that is not data, since data came last: what stands there means nothing to us. */
const MAX_IDLE_BYTES = 16 * 1024;

/**
 * Takes the data out of a body in chunks (RFC 9112 section 7.1), however its bytes are cut. Extensions and trailers are skipped.
 * Nothing but CR LF ends a line, and a size is digits only: what is read in one way only is read, everything else refused.
 */
export class ChunkedBody {
  #part: Part = 'size';
  /** Of data in `data`, else the size as far as it is read. */
  #left = 0;
  #digits = 0;
  #idleBytes = 0;

  /** The last chunk was read, and all that follows it. */
  get isWhole(): boolean {
    return this.#part === 'nothing';
  }

  /**
   * Reads on from `from`, and adds the data to `data`, as views of `bytes`. Returns the index of the first byte behind the body,
   * or the length of `bytes`. Throws ProtocolError.
   */
  read(bytes: Buffer, from: number, data: Buffer[]): number {
    let at = from;
    while (this.#part !== 'nothing') {
      const byte = bytes[at];
      if (byte === undefined) break;
      if (this.#part === 'data') at = this.#takeData(bytes, at, data);
      else {
        this.#part = this.#step(this.#part, byte);
        at += 1;
      }
    }
    return at;
  }

  #takeData(bytes: Buffer, at: number, data: Buffer[]): number {
    const end = Math.min(bytes.length, at + this.#left);
    data.push(bytes.subarray(at, end));
    this.#left -= end - at;
    this.#idleBytes = 0;
    if (this.#left === 0) this.#part = 'end of data';
    return end;
  }

  #step(part: ChunkPart | TrailerPart, byte: number): Part {
    this.#idleBytes += 1;
    if (this.#idleBytes > MAX_IDLE_BYTES) throw new ProtocolError('its answer has too much between its chunks');
    return isOfTrailers(part) ? nextOfTrailers(part, byte) : this.#next(part, byte);
  }

  #next(part: ChunkPart, byte: number): Part {
    switch (part) {
      case 'size':
        return this.#readSize(byte);
      case 'extension':
        return byte === CR ? 'end of size' : text(byte, 'extension');
      case 'end of size':
        return this.#beginChunk(expected(byte, LF, 'data'));
      case 'end of data':
        return expected(byte, CR, 'end of line of data');
      case 'end of line of data':
        return expected(byte, LF, 'size');
    }
  }

  #readSize(byte: number): Part {
    const digit = hexDigit(byte);
    if (digit !== undefined && this.#digits < MAX_DIGITS) {
      this.#left = this.#left * 16 + digit;
      this.#digits += 1;
      return 'size';
    }
    if (this.#digits > 0 && byte === CR) return 'end of size';
    if (this.#digits > 0 && byte === SEMICOLON) return 'extension';
    throw new ProtocolError('a chunk of its answer has no size');
  }

  #beginChunk(part: Part): Part {
    this.#digits = 0;
    return this.#left === 0 ? 'line of trailer' : part;
  }
}

const isOfTrailers = (part: ChunkPart | TrailerPart): part is TrailerPart =>
  part === 'line of trailer' ||
  part === 'name of trailer' ||
  part === 'trailer' ||
  part === 'end of trailer' ||
  part === 'last line end';

function nextOfTrailers(part: TrailerPart, byte: number): Part {
  switch (part) {
    case 'line of trailer':
      return byte === CR ? 'last line end' : nameOf(byte);
    case 'name of trailer':
      return byte === COLON ? 'trailer' : nameOf(byte);
    case 'trailer':
      return byte === CR ? 'end of trailer' : text(byte, 'trailer');
    case 'end of trailer':
      return expected(byte, LF, 'line of trailer');
    case 'last line end':
      return expected(byte, LF, 'nothing');
  }
}

function expected(byte: number, wanted: number, then: Part): Part {
  if (byte === wanted) return then;
  throw new ProtocolError('a chunk of its answer does not end where it should');
}

function nameOf(byte: number): Part {
  if (isNameByte(byte)) return 'name of trailer';
  throw new ProtocolError('its answer has a line behind its chunks that is no header');
}

function text(byte: number, part: Part): Part {
  if (byte === TAB || (byte >= SPACE && byte !== 0x7f)) return part;
  throw new ProtocolError('its answer has a character between its chunks that must not be there');
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
