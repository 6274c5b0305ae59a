import { readFileSync } from 'node:fs';
import { seconds, since, type Instant } from '../domain/units.ts';

/** A kubelet replaces a token long before it ends, so that this much delay in seeing the new one is harmless. */
const READ_EVERY = seconds(10);

/** A token in a file that is replaced from time to time. The token itself appears in no error. */
export class TokenFile {
  readonly #path: string;
  readonly #now: () => Instant;
  #token = '';
  #readAt: Instant | undefined;

  constructor(path: string, now: () => Instant) {
    this.#path = path;
    this.#now = now;
  }

  /** Throws if the file cannot be read, or holds nothing that can be sent. */
  token(): string {
    if (this.#readAt === undefined || since(this.#readAt, this.#now()) >= READ_EVERY) this.#read();
    return this.#token;
  }

  /** Has the file read again by the next call: the server has refused what was in it. */
  distrust(): void {
    this.#readAt = undefined;
  }

  #read(): void {
    const text = readFileSync(this.#path, 'utf8').trim();
    if (!/^[\x21-\x7e]+$/.test(text)) throw new Error(`${this.#path}: holds no token`);
    this.#token = text;
    this.#readAt = this.#now();
  }
}
