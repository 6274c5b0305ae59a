import type { Demand } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { minutes, since, type Instant } from '../domain/units.ts';
import type { Account, InFlight, LedgerChange, Tally, Waiting } from './ledger.ts';

/** How long a preset keeps its turn after its last waiter has left, so that a client's retry does not start again at the end. */
export const DEMAND_MEMORY = minutes(1);

/** When the preset came to be wanted, and when its last waiter left unserved (`undefined`: somebody waits). */
interface Wanted {
  readonly since: Instant;
  readonly leftAt: Instant | undefined;
}

/** What an account tells its ledger; the ledger keeps the counts that span presets. */
export interface AccountEvents {
  /** A request went to a replica. Returns how many are there now. */
  begun(replica: ReplicaId): number;
  /** A request at a replica has ended. Returns how many are left there. */
  ended(replica: ReplicaId): number;
  /** Something changed that planning depends on. */
  changed(change: LedgerChange): void;
}

/** Counts one preset's requests. All changes happen in the tick of the call. */
export class PresetAccount implements Account {
  readonly uid: PresetUid;
  readonly #events: AccountEvents;
  #waiting = 0;
  #inFlight = 0;
  #started = 0;
  #finished = 0;
  #idleSince: Instant;
  #wanted: Wanted | undefined;

  constructor(uid: PresetUid, opened: Instant, events: AccountEvents) {
    this.uid = uid;
    this.#idleSince = opened;
    this.#events = events;
  }

  get waiting(): number {
    return this.#waiting;
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
    return { activity: this.activity(), demand: this.demand(), started: this.#started, finished: this.#finished };
  }

  wait(now: Instant): Waiting {
    this.#wanted = { since: this.#turn(now), leftAt: undefined };
    this.#waiting += 1;
    if (this.#waiting === 1) this.#events.changed('demand');
    const end = once('a waiting request');
    return {
      dispatch: (replica) => {
        end();
        return this.#dispatch(replica);
      },
      leave: (at) => {
        end();
        this.#leave(at);
      },
    };
  }

  begin(replica: ReplicaId): InFlight {
    this.#inFlight += 1;
    this.#started += 1;
    const there = this.#events.begun(replica);
    if (this.#inFlight === 1 || there === 1) this.#events.changed('busy');
    const end = once('a request in flight');
    return {
      end: (now) => {
        end();
        this.#end(replica, now);
      },
    };
  }

  #turn(now: Instant): Instant {
    if (this.#wanted === undefined) return now;
    const { leftAt } = this.#wanted;
    return leftAt === undefined || since(leftAt, now) < DEMAND_MEMORY ? this.#wanted.since : now;
  }

  #dispatch(replica: ReplicaId): InFlight {
    const inFlight = this.begin(replica);
    this.#waiting -= 1;
    if (this.#waiting === 0) {
      this.#wanted = undefined;
      this.#events.changed('demand');
    }
    return inFlight;
  }

  #leave(now: Instant): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.#wanted === undefined) return;
    this.#wanted = { since: this.#wanted.since, leftAt: now };
    this.#events.changed('demand');
  }

  #end(replica: ReplicaId, now: Instant): void {
    this.#inFlight -= 1;
    this.#finished += 1;
    if (this.#inFlight === 0) this.#idleSince = now;
    const left = this.#events.ended(replica);
    if (this.#inFlight === 0 || left === 0) this.#events.changed('idle');
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
