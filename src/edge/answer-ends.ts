/** Bytes kept of the end of an answer: llama-server's last event or its last fields take less than 2 KiB. */
const TAIL = 4096;
/** Bytes kept of the beginning of an answer that is longer than its tail. */
const HEAD = 1024;
/** Parts of the tail before they are made one: many answers in tiny parts must not cost more than their bytes. */
const MAX_PARTS = 64;

/** The beginning and the end of an answer, kept while it passes. What lies between is let go at once. */
export class AnswerEnds {
  #parts: Buffer[] = [];
  #held = 0;
  #head: Buffer | undefined;

  /** Takes a part as it passes. Copies nothing but what would keep a much larger read alive. */
  pass(chunk: Buffer): void {
    const isPartOfLarger = chunk.buffer.byteLength > 2 * TAIL;
    if (isPartOfLarger && this.#head === undefined && this.#held + chunk.length > TAIL) this.#keepHead(chunk);
    this.#push(isPartOfLarger ? Buffer.from(chunk.subarray(-TAIL)) : chunk);
  }

  /** The last bytes, one character each. */
  get tail(): string {
    const [first] = this.#parts;
    const isAll = first !== undefined && this.#parts.length === 1;
    return (isAll ? first : Buffer.concat(this.#parts, this.#held)).toString('latin1');
  }

  /** The first bytes, one character each; `undefined`: the tail is all there was. */
  get head(): string | undefined {
    return this.#head?.toString('latin1');
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#held += part.length;
    for (let [first] = this.#parts; first !== undefined; [first] = this.#parts) {
      if (this.#held - first.length < TAIL) break;
      if (this.#head === undefined) this.#keepHead();
      this.#parts.shift();
      this.#held -= first.length;
    }
    if (this.#parts.length > MAX_PARTS) this.#parts = [Buffer.concat(this.#parts, this.#held)];
  }

  /** Of all that has come so far, which is more than a head, before anything of it is let go. */
  #keepHead(...more: readonly Buffer[]): void {
    this.#head = Buffer.concat([...this.#parts, ...more], HEAD);
  }
}
