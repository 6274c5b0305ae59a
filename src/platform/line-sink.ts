/** Characters that may wait to be read: some ten thousand lines. */
export const MAX_UNREAD = 4 * 2 ** 20;
/** Lines are gathered for so many milliseconds: a write for each would take as long as making two of them. */
export const GATHERED_FOR = 10;

/** What a sink writes to: standard output, which for a pipe takes all it is given and keeps in memory what nobody reads. */
export interface SinkTarget {
  readonly writableLength: number;
  write(text: string): unknown;
  on(event: 'error', callback: () => void): unknown;
}

/**
 * Writes lines so that whoever reads them, however slowly, holds nobody up and costs no more than `MAX_UNREAD`: what does not fit is
 * lost, and how much was lost is told with the next line that fits.
 */
export class LineSink {
  readonly #target: SinkTarget;
  readonly #onLost: (lines: number) => void;
  #gathered = '';
  #lost = 0;
  #isBroken = false;

  /** `onLost` may write. */
  constructor(target: SinkTarget, onLost: (lines: number) => void) {
    this.#target = target;
    this.#onLost = onLost;
    // Whoever read has gone: Corral goes on without a log, as the requests in flight are not to be cut for that.
    target.on('error', () => {
      this.#isBroken = true;
      this.#gathered = '';
    });
  }

  /** Takes a line with its end. */
  write(line: string): void {
    if (this.#isBroken) return;
    if (this.#target.writableLength + this.#gathered.length + line.length > MAX_UNREAD) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) this.#tellOfLoss();
    if (this.#gathered === '') {
      setTimeout(() => {
        this.flush();
      }, GATHERED_FOR);
    }
    this.#gathered += line;
  }

  /** Hands over what was gathered. At the end of the process nobody else does. */
  flush(): void {
    if (this.#gathered === '') return;
    const text = this.#gathered;
    this.#gathered = '';
    this.#target.write(text);
  }

  #tellOfLoss(): void {
    const lines = this.#lost;
    this.#lost = 0;
    this.#onLost(lines);
  }
}
