import type { Trace } from '../scenario.ts';

const FIRST_ROOM = 1024;

/** Collects requests in any order. */
export class TraceBuilder {
  #at = new Float64Array(FIRST_ROOM);
  #model = new Uint32Array(FIRST_ROOM);
  #duration = new Float64Array(FIRST_ROOM);
  #length = 0;
  #latest = -Infinity;
  #isSorted = true;

  get length(): number {
    return this.#length;
  }

  /** Times in milliseconds; `model` is an index into the models. */
  add(at: number, model: number, duration: number): void {
    if (this.#length === this.#at.length) this.#grow();
    this.#at[this.#length] = at;
    this.#model[this.#length] = model;
    this.#duration[this.#length] = duration;
    this.#length += 1;
    this.#isSorted &&= at >= this.#latest;
    this.#latest = at;
  }

  /** The first `most` of them by their times, those of one time in the order in which they were added. */
  build(most = Infinity): Trace {
    const length = Math.min(most, this.#length);
    if (this.#isSorted) {
      return {
        at: this.#at.slice(0, length),
        model: this.#model.slice(0, length),
        duration: this.#duration.slice(0, length),
      };
    }
    const order = this.#sortedOrder().subarray(0, length);
    return {
      at: Float64Array.from(order, (index) => Number(this.#at[index])),
      model: Uint32Array.from(order, (index) => Number(this.#model[index])),
      duration: Float64Array.from(order, (index) => Number(this.#duration[index])),
    };
  }

  #sortedOrder(): Uint32Array {
    const at = this.#at;
    // The sort of typed arrays is stable.
    return Uint32Array.from({ length: this.#length }, (_, index) => index).sort(
      (a, b) => Number(at[a]) - Number(at[b]),
    );
  }

  #grow(): void {
    const [at, model, duration] = [this.#at, this.#model, this.#duration];
    this.#at = new Float64Array(at.length * 2);
    this.#model = new Uint32Array(at.length * 2);
    this.#duration = new Float64Array(at.length * 2);
    this.#at.set(at);
    this.#model.set(model);
    this.#duration.set(duration);
  }
}
