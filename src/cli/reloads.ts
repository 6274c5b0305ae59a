import { formatProblem } from '../api/problem.ts';
import type { ControlLoop } from '../control/control-loop.ts';
import type { Reloaded } from '../edge/orders.ts';
import type { Log } from '../platform/log.ts';
import { tellNotes, type ReadCatalog } from './catalog-reader.ts';

export interface ReloadParts {
  readonly control: Pick<ControlLoop, 'catalog' | 'setCatalog'>;
  readonly read: ReadCatalog;
  readonly log: Log;
}

/** Reads the declarations again, one reload after the other, so that the last read wins; until they are ended. */
export class Reloads {
  readonly #parts: ReloadParts;
  readonly #waiting = new Set<() => void>();
  /** Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  constructor(parts: ReloadParts) {
    this.#parts = parts;
  }

  /** Resolves when what was read is in force, or refused, or when reloads are ended before that. */
  async reload(): Promise<Reloaded> {
    if (this.#isEnded) return 'ended';
    const { promise, resolve, reject } = Promise.withResolvers<Reloaded>();
    const turnAway = (): void => {
      resolve('ended');
    };
    this.#waiting.add(turnAway);
    const next = this.#last.then(async () => (this.#isEnded ? 'ended' : this.#next())).then(resolve, reject);
    this.#last = next.then(() => this.#waiting.delete(turnAway));
    return promise;
  }

  /** From now on nothing is changed: those who wait are told at once, and what is still being read is dropped. */
  end(): void {
    this.#isEnded = true;
    for (const turnAway of this.#waiting) turnAway();
  }

  async #next(): Promise<Reloaded> {
    const { control, read } = this.#parts;
    const result = await read(control.catalog);
    // Told to end meanwhile: a catalog would start again what is being stopped.
    return this.#isEnded ? 'ended' : this.#settle(result);
  }

  #settle(result: Awaited<ReturnType<ReadCatalog>>): Reloaded {
    const { control, log } = this.#parts;
    if (result.ok) {
      tellNotes(result, log);
      control.setCatalog(result.catalog);
      log.info('reloaded', { models: result.catalog.presets.length });
      return { ok: true };
    }
    const problems = result.problems.map(formatProblem);
    log.error('reload refused, what was declared before stays in force', { problems });
    return { ok: false, problems };
  }
}
