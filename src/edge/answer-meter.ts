import type { Instant } from '../domain/units.ts';

/** What is measured of a replica's answer while it passes. */
export class AnswerMeter {
  readonly #now: () => Instant;
  #firstByte: Instant | undefined;
  #bytes = 0;
  #streamed = false;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** Bytes of its body so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When its first byte came. */
  get firstByte(): Instant | undefined {
    return this.#firstByte;
  }

  /** It is an event stream. */
  get streamed(): boolean {
    return this.#streamed;
  }

  /** Its head is there. */
  begin(isEventStream: boolean): void {
    this.#streamed = isEventStream;
  }

  /** Call with each part of its body. */
  pass(chunk: Buffer): void {
    if (this.#firstByte === undefined) this.#firstByte = this.#now();
    this.#bytes += chunk.length;
  }
}
