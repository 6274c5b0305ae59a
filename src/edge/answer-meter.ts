import type { Instant } from '../domain/units.ts';
import { AnswerEnds } from './answer-ends.ts';
import { NO_TOKENS, tokensOfEvents, tokensOfJson, type Tokens } from './read-tokens.ts';

type Form = 'events' | 'json' | 'other';

/** What is measured of a replica's answer while it passes. */
export class AnswerMeter {
  readonly #now: () => Instant;
  readonly #ends = new AnswerEnds();
  #form: Form = 'other';
  #firstByte: Instant | undefined;
  #bytes = 0;
  #isWhole = false;

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
    return this.#form === 'events';
  }

  /** What it says of tokens. An answer that was cut says it only in events, each of which stands for itself. */
  tokens(): Tokens {
    if (this.#form === 'other' || this.#bytes === 0) return NO_TOKENS;
    const ends = { head: this.#ends.head, tail: this.#ends.tail };
    if (this.#form === 'events') return tokensOfEvents(ends);
    return this.#isWhole ? tokensOfJson(ends) : NO_TOKENS;
  }

  /** Its head is there. */
  begin(contentType: string | undefined): void {
    this.#form = formOf(contentType);
  }

  /** Call with each part of its body. */
  pass(chunk: Buffer): void {
    if (this.#firstByte === undefined) this.#firstByte = this.#now();
    this.#bytes += chunk.length;
    if (this.#form !== 'other') this.#ends.pass(chunk);
  }

  /** All of its body has passed. */
  end(): void {
    this.#isWhole = true;
  }
}

function formOf(contentType = ''): Form {
  if (contentType.startsWith('text/event-stream')) return 'events';
  return contentType.startsWith('application/json') ? 'json' : 'other';
}
