/** Bytes kept of the end of an answer, at least: llama-server's last event or its last fields take less than 2 KiB. */
const TAIL = 4096;
/** Room for more than the tail, so that it is moved to the front for each so many bytes only. */
const WINDOW = 2 * TAIL;
/** Bytes kept of the beginning of an answer that is longer than what is kept of its end. */
const HEAD = 1024;

/** The beginning and the end of an answer, kept while it passes. What lies between is let go at once. */
export class AnswerEnds {
  /** An answer that has come in one part, as small ones do. */
  #only: Buffer | undefined;
  /** What was kept of one in more parts: its first `#size` bytes. */
  #window: Buffer | undefined;
  #size = 0;
  #head: Buffer | undefined;

  /** Takes a part as it passes: a copy, where the part would keep a much larger read alive. */
  pass(chunk: Buffer): void {
    if (this.#window !== undefined) this.#add(this.#window, chunk);
    else if (this.#only === undefined && chunk.length <= TAIL) {
      this.#only = chunk.buffer.byteLength > WINDOW ? Buffer.from(chunk) : chunk;
    } else this.#open(chunk);
  }

  /** The last bytes, one character each. */
  get tail(): string {
    if (this.#window !== undefined) return this.#window.toString('latin1', 0, this.#size);
    return this.#only === undefined ? '' : this.#only.toString('latin1');
  }

  /** The first bytes, one character each; `undefined`: the tail is all there was. */
  get head(): string | undefined {
    return this.#head?.toString('latin1');
  }

  #open(chunk: Buffer): void {
    this.#window = Buffer.allocUnsafeSlow(WINDOW);
    if (this.#only !== undefined) this.#add(this.#window, this.#only);
    this.#only = undefined;
    this.#add(this.#window, chunk);
  }

  #add(window: Buffer, chunk: Buffer): void {
    if (this.#size + chunk.length <= WINDOW) this.#size += chunk.copy(window, this.#size);
    else {
      this.#makeRoom(window, chunk);
      this.#size += chunk.copy(window, this.#size, Math.max(0, chunk.length - TAIL));
    }
  }

  /** Lets go what is not of the last `TAIL` bytes, of which `chunk` will be some. */
  #makeRoom(window: Buffer, chunk: Buffer): void {
    if (this.#head === undefined) this.#head = Buffer.concat([window.subarray(0, this.#size), chunk], HEAD);
    const kept = Math.min(this.#size, Math.max(0, TAIL - chunk.length));
    window.copyWithin(0, this.#size - kept, this.#size);
    this.#size = kept;
  }
}
