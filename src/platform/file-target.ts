import { writeSync } from 'node:fs';
import type { SinkTarget } from './line-sink.ts';

type WriteSync = (fd: number, bytes: Buffer, offset: number) => number;

/**
 * A file as standard output. Node's own stream for it takes a write that was cut short, as the first one on a full disk is, for a
 * whole one; here it is an error that says what is missing.
 */
export class FileTarget implements SinkTarget {
  /** A write has ended when it returns. */
  readonly writableLength = 0;
  readonly destroyed = false;
  /** Every error is told to whoever writes. */
  readonly on = (): void => undefined;
  readonly #fd: number;
  readonly #writeSync: WriteSync;

  constructor(fd: number, write: WriteSync = writeSync) {
    this.#fd = fd;
    this.#writeSync = write;
  }

  write(text: string, done: (error?: Error, rest?: string) => void): void {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#writeSome(bytes, written);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), bytes.toString('utf8', written));
    }
  }

  #writeSome(bytes: Buffer, offset: number): number {
    const written = this.#writeSync(this.#fd, bytes, offset);
    if (written === 0) throw new Error('the file took nothing');
    return written;
  }
}
