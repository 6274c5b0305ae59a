/** What happens by itself at a known time. At one moment what ends comes first, so that its room is there for what comes. */
const RANKS = { end: 0, gone: 1, ready: 2 } as const;

export interface SimulatedEvent {
  readonly at: number;
  readonly kind: keyof typeof RANKS;
  /** The number of a request (`end`) or of a replica. */
  readonly subject: number;
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.kind !== b.kind) return RANKS[a.kind] < RANKS[b.kind];
  return a.subject < b.subject;
}

/** A binary heap: the earliest event first, in an order that depends on nothing but the events. */
export class EventHeap {
  readonly #events: SimulatedEvent[] = [];

  /** `undefined`: nothing is to come. */
  get first(): SimulatedEvent | undefined {
    return this.#events[0];
  }

  push(event: SimulatedEvent): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = events[up];
      if (above === undefined || !isBefore(event, above)) break;
      events[at] = above;
      at = up;
    }
    events[at] = event;
  }

  /** Takes the first one away. */
  pop(): SimulatedEvent | undefined {
    const first = this.#events[0];
    const last = this.#events.pop();
    if (last !== undefined && this.#events.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: SimulatedEvent): void {
    const events = this.#events;
    let at = 0;
    for (;;) {
      const below = this.#earlierChild(at);
      const child = events[below];
      if (child === undefined || !isBefore(child, event)) break;
      events[at] = child;
      at = below;
    }
    events[at] = event;
  }

  #earlierChild(at: number): number {
    const left = this.#events[2 * at + 1];
    const right = this.#events[2 * at + 2];
    return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
  }
}
