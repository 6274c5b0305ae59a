import type { Account, InFlight, Ledger, Waiting } from '../../activity/ledger.ts';
import type { PresetUid } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import { instant, type Instant } from '../../domain/units.ts';
import { byText } from '../policies/in-order.ts';
import type { Wish } from '../policies/policy.ts';
import type { Scenario, Trace } from '../scenario.ts';
import type { EventHeap } from './event-heap.ts';
import type { Fleet, Simulated } from './fleet.ts';
import { Patience } from './patience.ts';
import { WaitLine } from './wait-line.ts';

/** One held request. */
interface Held {
  readonly request: number;
  readonly waiting: Waiting;
}

/** A model, its account, and who waits for it, the oldest first. */
interface Counter {
  readonly preset: Preset;
  readonly account: Account;
  readonly line: WaitLine<Held>;
  lastBegun: Instant | undefined;
}

interface Flight {
  readonly inFlight: InFlight;
  readonly at: Simulated;
}

/** What has become of the requests. Each ends in exactly one of `waits` (served), `starved` and `cut` as well. */
export interface RequestCounts {
  /** Of all that went to a replica, in milliseconds, in the order in which they went. */
  readonly waits: Float64Array;
  /** How many of them had to wait. */
  readonly held: number;
  readonly starved: number;
  readonly cut: number;
  /** When the last one ended. */
  readonly lastEnd: Instant;
}

/**
 * The requests of a trace, counted with the real ledger: each goes to the ready replica with the fewest in flight, or waits
 * in line for one, and gives up after `maxWait`.
 */
export class Requests {
  readonly #trace: Trace;
  readonly #counters: readonly Counter[];
  readonly #byPreset: ReadonlyMap<PresetUid, Counter>;
  readonly #fleet: Fleet;
  readonly #events: EventHeap;
  readonly #wished = new Set<Counter>();
  /** Of `wished`, until that changes. */
  #wishes: readonly Wish[] | undefined;
  readonly #flights = new Map<number, Flight>();
  readonly #patience: Patience;
  readonly #waits: Float64Array;
  #next = 0;
  #begun = 0;
  #held = 0;
  #starved = 0;
  #cut = 0;
  #lastEnd = instant(0);

  constructor({ trace, maxWait }: Scenario, counted: { presets: readonly Preset[]; ledger: Ledger }, world: Physics) {
    this.#trace = trace;
    this.#patience = new Patience(trace, maxWait);
    this.#waits = new Float64Array(trace.at.length);
    this.#fleet = world.fleet;
    this.#events = world.events;
    this.#counters = counted.presets.map((preset) => open(preset, counted.ledger));
    this.#byPreset = new Map(this.#counters.map((counter) => [counter.preset.uid, counter]));
  }

  /** When the next one comes or gives up; `undefined`: none is to come, and none waits. */
  get nextAt(): number | undefined {
    const arrival = this.#trace.at[this.#next];
    const givesUp = this.#patience.first?.givesUpAt;
    if (arrival === undefined || givesUp === undefined) return arrival ?? givesUp;
    return Math.min(arrival, givesUp);
  }

  /** Whether every request has ended. */
  get allEnded(): boolean {
    return this.#next === this.#trace.at.length && this.#patience.isEmpty && this.#flights.size === 0;
  }

  /** Lets those come whose time it is. */
  arrive(now: Instant): void {
    while (this.#trace.at[this.#next] === now) {
      const request = this.#next;
      this.#next += 1;
      const counter = this.#counterOf(request);
      const replica = fewestInFlight(this.#fleet.readyOf(counter.preset.uid));
      if (replica === undefined) this.#hold(request, counter, now);
      else
        this.#begin(request, counter, { inFlight: counter.account.begin(replica.replica.id, now), at: replica }, now);
    }
  }

  /** Lets those go that have waited for too long. */
  giveUp(now: Instant): void {
    for (let next = this.#patience.first; next !== undefined && next.givesUpAt <= now; next = this.#patience.first) {
      this.#takeFirst(this.#counterOf(next.request))?.waiting.leave(now);
      this.#starved += 1;
      this.#lastEnd = now;
    }
  }

  /** Sends all that wait for a preset to its ready replicas. */
  serve(uid: PresetUid, now: Instant): void {
    const counter = this.#byPreset.get(uid);
    for (;;) {
      const replica = fewestInFlight(this.#fleet.readyOf(uid));
      const held = replica === undefined ? undefined : this.#takeFirst(counter);
      if (counter === undefined || replica === undefined || held === undefined) return;
      this.#held += 1;
      this.#begin(
        held.request,
        counter,
        { inFlight: held.waiting.dispatch(replica.replica.id, now), at: replica },
        now,
      );
    }
  }

  /** A request has had its answer. One that was cut had its end before. */
  end(request: number, now: Instant): void {
    const flight = this.#flights.get(request);
    if (flight === undefined) return;
    this.#flights.delete(request);
    flight.at.requests.delete(request);
    this.#lastEnd = now;
    flight.inFlight.end(now);
  }

  /** The replica's process is told to go, with whatever is in flight. */
  cutAt(replica: Simulated, now: Instant): void {
    for (const request of replica.requests) {
      this.#cut += 1;
      this.end(request, now);
    }
  }

  wishes(): readonly Wish[] {
    this.#wishes ??= this.#listWishes();
    return this.#wishes;
  }

  lastBegun(uid: PresetUid): Instant | undefined {
    return this.#byPreset.get(uid)?.lastBegun;
  }

  counts(): RequestCounts {
    return {
      waits: this.#waits.subarray(0, this.#begun),
      held: this.#held,
      starved: this.#starved,
      cut: this.#cut,
      lastEnd: this.#lastEnd,
    };
  }

  #listWishes(): readonly Wish[] {
    const wishes: Wish[] = [];
    for (const { preset, line } of this.#wished) {
      const since = line.first === undefined ? undefined : this.#trace.at[line.first.request];
      if (since !== undefined) wishes.push({ preset, since: instant(since) });
    }
    return wishes.sort((a, b) => (a.since === b.since ? byText(a.preset.uid, b.preset.uid) : a.since - b.since));
  }

  #counterOf(request: number): Counter {
    const model = this.#trace.model[request];
    const counter = model === undefined ? undefined : this.#counters[model];
    if (counter === undefined) throw new Error(`request ${request} asks for a model that the scenario does not have`);
    return counter;
  }

  #hold(request: number, counter: Counter, now: Instant): void {
    this.#patience.add(request);
    this.#wished.add(counter);
    this.#wishes = undefined;
    counter.line.push({ request, waiting: counter.account.wait(now) });
  }

  #takeFirst(counter: Counter | undefined): Held | undefined {
    const held = counter?.line.shift();
    if (counter === undefined || held === undefined) return undefined;
    this.#patience.remove(held.request);
    this.#wishes = undefined;
    if (counter.line.first === undefined) this.#wished.delete(counter);
    return held;
  }

  #begin(request: number, counter: Counter, flight: Flight, now: Instant): void {
    const { at, duration } = this.#trace;
    const came = at[request];
    const takes = duration[request];
    if (came === undefined || takes === undefined) throw new Error(`request ${request} is not in the trace`);
    counter.lastBegun = now;
    this.#flights.set(request, flight);
    flight.at.requests.add(request);
    this.#waits[this.#begun] = now - came;
    this.#begun += 1;
    this.#events.push({ at: now + takes, kind: 'end', subject: request });
  }
}

/** Where the requests go, and where their ends are noted. */
interface Physics {
  readonly fleet: Fleet;
  readonly events: EventHeap;
}

function open(preset: Preset, ledger: Ledger): Counter {
  const account = ledger.find(preset.uid);
  if (account === undefined) throw new Error(`the model ${preset.model} has no account`);
  return { preset, account, line: new WaitLine(), lastBegun: undefined };
}

function fewestInFlight(ready: readonly Simulated[]): Simulated | undefined {
  let best = ready[0];
  for (const one of ready) if (best !== undefined && one.requests.size < best.requests.size) best = one;
  return best;
}
