import { giveBack } from './give-back.ts';

/** Room for so many times what has arrived: a client that announces much and sends little takes little. */
const GROWTH = 16;

/** The bytes of a body in one piece, while they arrive. */
export class BodyBytes {
  readonly #expected: number;
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;

  /** `expected` bytes are announced, or, if their number is not, may come at most. */
  constructor(expected: number) {
    this.#expected = expected;
  }

  /** How many have arrived. */
  get size(): number {
    return this.#size;
  }

  /** What has arrived, with anything after it. After `add` it may be another buffer. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Takes the chunk: it may be empty afterwards. */
  add(chunk: Buffer): void {
    const size = this.#size + chunk.length;
    // All of it has come in one part, as small ones do: it needs no copy.
    if (size === this.#expected && this.#size === 0) {
      this.#bytes = chunk;
      this.#size = size;
      return;
    }
    if (size > this.#bytes.length) this.#makeRoomFor(size);
    chunk.copy(this.#bytes, this.#size);
    giveBack(chunk);
    this.#size = size;
  }

  /** What has arrived. */
  whole(): Buffer {
    return this.#size === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#size);
  }

  #makeRoomFor(size: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(size, Math.min(size * GROWTH, this.#expected)));
    this.#bytes.copy(bytes, 0, 0, this.#size);
    giveBack(this.#bytes);
    this.#bytes = bytes;
  }
}
