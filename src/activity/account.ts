import type { Demand, Peak } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { minutes, since, type Instant } from '../domain/units.ts';
import type { Account, ChangePlace, Declared, InFlight, LedgerChange, Tally, Waiting } from './ledger.ts';
import { PeakWindow } from './peak-window.ts';

/** How long a preset keeps its turn after its last waiter has left, so that a client's retry does not start again at the end. */
export const DEMAND_MEMORY = minutes(1);

/** When the preset came to be wanted, and when its last waiter left unserved (`undefined`: somebody waits). */
interface Wanted {
  readonly since: Instant;
  readonly leftAt: Instant | undefined;
}

/** What is counted of a preset that may have several replicas. */
interface Scale {
  readonly targetInFlight: number;
  readonly peak: PeakWindow;
}

/** What an account tells its ledger; the ledger keeps the counts that span presets. */
export interface AccountEvents {
  /** A request went to a replica. Returns how many are there now. */
  begun(replica: ReplicaId): number;
  /** A request at a replica has ended. Returns how many are left there. */
  ended(replica: ReplicaId): number;
  /** Something changed that planning depends on. */
  changed(change: LedgerChange, place: ChangePlace): void;
}

/** Counts one preset's requests. All changes happen in the tick of the call. */
export class PresetAccount implements Account {
  readonly uid: PresetUid;
  readonly #events: AccountEvents;
  #waiting = 0;
  #queued = 0;
  #inFlight = 0;
  #started = 0;
  #finished = 0;
  #idleSince: Instant;
  #wanted: Wanted | undefined;
  #scale: Scale | undefined;

  constructor(uid: PresetUid, opened: Instant, events: AccountEvents) {
    this.uid = uid;
    this.#idleSince = opened;
    this.#events = events;
  }

  get waiting(): number {
    return this.#waiting + this.#queued;
  }

  activity(): Tally['activity'] {
    if (this.#inFlight > 0) return { kind: 'busy', inFlight: this.#inFlight };
    return { kind: 'idle', since: this.#idleSince };
  }

  demand(): Demand | undefined {
    if (this.#waiting === 0 || this.#wanted === undefined) return undefined;
    return { waiting: this.#waiting, since: this.#wanted.since };
  }

  tally(): Tally {
    const [activity, demand] = [this.activity(), this.demand()];
    return { activity, demand, queued: this.#queued, started: this.#started, finished: this.#finished };
  }

  /** How it may be scaled from now on. */
  scale(scaling: Declared['scaling'], now: Instant): void {
    if (scaling === undefined || scaling.maxReplicas === 1) {
      this.#scale = undefined;
      return;
    }
    const peak = this.#scale === undefined ? new PeakWindow(now, this.#inFlight) : this.#scale.peak;
    this.#scale = { targetInFlight: scaling.targetInFlight, peak };
  }

  peak(now: Instant): Peak | undefined {
    return this.#scale?.peak.peak(now);
  }

  wait(now: Instant): Waiting {
    this.#wanted = { since: this.#turn(now), leftAt: undefined };
    this.#waiting += 1;
    if (this.#waiting === 1) this.#tell('demand');
    const end = once('a waiting request');
    return {
      dispatch: (replica, at) => {
        end();
        return this.#dispatch(replica, at);
      },
      end: () => {
        end();
        this.#serve();
      },
      leave: (at) => {
        end();
        this.#leave(at);
      },
    };
  }

  queue(): Waiting {
    this.#queued += 1;
    const ended = once('a queued request');
    const end = (): void => {
      ended();
      this.#queued -= 1;
    };
    return {
      dispatch: (replica, at) => {
        end();
        return this.begin(replica, at);
      },
      end,
      leave: end,
    };
  }

  begin(replica: ReplicaId, now: Instant): InFlight {
    this.#inFlight += 1;
    this.#started += 1;
    this.#scale?.peak.set(this.#inFlight, now);
    const there = this.#events.begun(replica);
    // Of one that may have several replicas others may have requests elsewhere, and only the sum says whether one more is needed.
    if (this.#inFlight === 1 || there === 1 || this.#scale !== undefined) this.#tell('busy', replica);
    if (this.#isUnderPressure()) this.#tell('pressure', replica);
    const end = once('a request in flight');
    return {
      end: (at) => {
        end();
        this.#end(replica, at);
      },
    };
  }

  #turn(now: Instant): Instant {
    if (this.#wanted === undefined) return now;
    const { leftAt } = this.#wanted;
    return leftAt === undefined || since(leftAt, now) < DEMAND_MEMORY ? this.#wanted.since : now;
  }

  /** One more than a multiple of what one replica is for. */
  #isUnderPressure(): boolean {
    if (this.#scale === undefined) return false;
    const { targetInFlight } = this.#scale;
    return this.#inFlight > targetInFlight && (this.#inFlight - 1) % targetInFlight === 0;
  }

  #dispatch(replica: ReplicaId, now: Instant): InFlight {
    const inFlight = this.begin(replica, now);
    this.#serve();
    return inFlight;
  }

  /** One that waited has what it waited for. */
  #serve(): void {
    this.#waiting -= 1;
    if (this.#waiting > 0) return;
    this.#wanted = undefined;
    this.#tell('demand');
  }

  #leave(now: Instant): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.#wanted === undefined) return;
    this.#wanted = { since: this.#wanted.since, leftAt: now };
    this.#tell('demand');
  }

  #end(replica: ReplicaId, now: Instant): void {
    this.#inFlight -= 1;
    this.#finished += 1;
    this.#scale?.peak.set(this.#inFlight, now);
    if (this.#inFlight === 0) this.#idleSince = now;
    const left = this.#events.ended(replica);
    if (this.#inFlight === 0 || left === 0) this.#tell('idle', replica);
  }

  #tell(change: LedgerChange, replica?: ReplicaId): void {
    this.#events.changed(change, { preset: this.uid, replica });
  }
}

/** Throws at the second call: a request that ends twice has broken the books, and going on would stop a busy replica. */
function once(what: string): () => void {
  let ended = false;
  return () => {
    if (ended) throw new Error(`${what} ended twice`);
    ended = true;
  };
}
