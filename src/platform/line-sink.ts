/** Characters that may wait to be read: some ten thousand lines. */
export const MAX_UNREAD = 4 * 2 ** 20;
/** Lines are gathered for so many milliseconds: a write for each would take as long as making two of them. */
export const GATHERED_FOR = 10;

/** What a sink writes to: standard output, which for a pipe takes all it is given and keeps in memory what nobody reads. */
export interface SinkTarget {
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** `rest`: what was not written, where that is known. */
  write(text: string, done: (error?: Error | null, rest?: string) => void): unknown;
  on(event: 'error', callback: (error: Error) => void): unknown;
}

/** How many lines are lost with the rest of a text; `undefined`: with all of it. */
type Weigh = (rest: string | undefined) => number;

const countLines = (text: string): number => text.split('\n').filter((line) => line !== '').length;

/** Whoever read a pipe has gone, and does not come back. */
const isGoodbye = (error: Error): boolean => 'code' in error && error.code === 'EPIPE';

/**
 * Writes lines so that whoever reads them, however slowly, holds nobody up and costs no more than `MAX_UNREAD`: what does not fit, or
 * cannot be written, as on a full disk, is lost, and how much was lost is told before the next line that fits.
 */
export class LineSink {
  readonly #target: SinkTarget;
  readonly #lossLine: (lines: number) => string;
  #gathered = '';
  #gatheredLines = 0;
  #lost = 0;
  /** What was written may end in the middle of a line. */
  #isCut = false;
  #isBroken = false;

  /** `lossLine` makes the line that tells of so many lost ones; an empty one is not written. */
  constructor(target: SinkTarget, lossLine: (lines: number) => string) {
    this.#target = target;
    this.#lossLine = lossLine;
    // Whoever read has gone: Corral goes on without a log, as the requests in flight are not to be cut for that.
    target.on('error', (error) => {
      if (!isGoodbye(error) && !target.destroyed) return;
      this.#isBroken = true;
      this.#gathered = '';
    });
  }

  /** Takes a line with its end. */
  write(line: string): void {
    if (this.#isBroken || this.#target.destroyed) return;
    if (this.#target.writableLength + this.#gathered.length + line.length > MAX_UNREAD) {
      this.#lost += 1;
      return;
    }
    if (this.#gathered === '') this.#beginToGather();
    this.#gathered += line;
    this.#gatheredLines += 1;
  }

  /** Hands over what was gathered. At the end of the process nobody else does. */
  flush(): void {
    const [text, lines] = [this.#gathered, this.#gatheredLines];
    this.#gathered = '';
    this.#gatheredLines = 0;
    this.#handOver(text, (rest) => (rest === undefined ? lines : countLines(rest)));
  }

  #beginToGather(): void {
    setTimeout(() => {
      this.flush();
    }, GATHERED_FOR);
    if (this.#lost > 0) this.#tellOfLoss();
  }

  /** By itself: if this line is lost, too, what it tells of is still to be told. */
  #tellOfLoss(): void {
    const lines = this.#lost;
    this.#lost = 0;
    this.#handOver(this.#lossLine(lines), () => lines);
  }

  #handOver(text: string, weigh: Weigh): void {
    if (text === '') return;
    const start = this.#isCut ? '\n' : '';
    this.#isCut = false;
    // What waits to be taken is kept once, by the target.
    this.#target.write(start + text, (error, rest) => {
      if (error === undefined || error === null) return;
      this.#isCut = true;
      this.#lost += weigh(rest);
    });
  }
}
