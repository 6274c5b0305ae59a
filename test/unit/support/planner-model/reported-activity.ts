import type { ActivitySource, Declared, Ledger, LedgerChange } from '../../../../src/activity/ledger.ts';
import type { Activity, Demand, Peak } from '../../../../src/domain/activity.ts';
import type { PresetUid, ReplicaId } from '../../../../src/domain/ids.ts';
import type { Instant } from '../../../../src/domain/units.ts';

/**
 * How well the control loop hears its edge.
 * - `live`: it sees what is.
 * - `stale`: it sees what was when the reports stopped; nothing at all of what came later, and of a replica whose drain began
 *   later not what is in flight there.
 * - `silent`: what is in use is unknown; who waited still counts.
 */
export type Hearing = 'live' | 'stale' | 'silent';

/** What an edge has told at one moment. */
interface Report {
  readonly activity: ReadonlyMap<PresetUid, Activity>;
  readonly demand: ReadonlyMap<PresetUid, Demand>;
  readonly peaks: ReadonlyMap<PresetUid, Peak>;
  readonly inFlight: Map<ReplicaId, number>;
}

const nothing = (): Report => ({ activity: new Map(), demand: new Map(), peaks: new Map(), inFlight: new Map() });

/** A ledger as it is seen through reports, which may be late, and by an edge that may begin anew. */
export class ReportedActivity implements ActivitySource {
  readonly #replicas: () => readonly ReplicaId[];
  readonly #listeners: ((change: LedgerChange) => void)[] = [];
  #ledger: Ledger;
  #declared: readonly Declared[] = [];
  #hearing: Hearing = 'live';
  #last = nothing();

  /** `replicas`: all that exist. */
  constructor(ledger: Ledger, replicas: () => readonly ReplicaId[]) {
    this.#ledger = ledger;
    this.#replicas = replicas;
    this.#follow(ledger);
  }

  get hearing(): Hearing {
    return this.#hearing;
  }

  /** Another edge, which has seen nothing yet and has told nothing. */
  restart(ledger: Ledger, now: Instant): void {
    this.#ledger = ledger;
    ledger.declare(this.#declared, now);
    this.#follow(ledger);
    this.#hearing = 'silent';
    this.#last = nothing();
    this.#tell('idle');
  }

  /** Reports stop. */
  lose(hearing: 'stale' | 'silent', now: Instant): void {
    if (this.#hearing === 'live') this.#last = this.#report(now);
    this.#hearing = hearing;
    this.#tell('idle');
  }

  /** Reports come again. */
  hear(): void {
    this.#hearing = 'live';
    for (const change of ['demand', 'busy', 'idle', 'pressure'] as const) this.#tell(change);
  }

  /** No request goes to a replica any more: what was told of it before says nothing of what is in flight there now. */
  gateClosed(replica: ReplicaId): void {
    this.#last.inFlight.delete(replica);
  }

  declare(presets: Iterable<Declared>, now: Instant): void {
    this.#declared = [...presets];
    this.#ledger.declare(this.#declared, now);
  }

  activity(uid: PresetUid): Activity {
    if (this.#hearing === 'live') return this.#ledger.activity(uid);
    const told = this.#hearing === 'stale' ? this.#last.activity.get(uid) : undefined;
    return told === undefined ? { kind: 'unknown' } : told;
  }

  demand(uid: PresetUid): Demand | undefined {
    return this.#hearing === 'live' ? this.#ledger.demand(uid) : this.#last.demand.get(uid);
  }

  lastUse(uid: PresetUid): Instant | undefined {
    return this.#hearing === 'live' ? this.#ledger.lastUse(uid) : undefined;
  }

  peak(uid: PresetUid, now: Instant): Peak | undefined {
    if (this.#hearing === 'live') return this.#ledger.peak(uid, now);
    return this.#hearing === 'stale' ? this.#last.peaks.get(uid) : undefined;
  }

  inFlight(replica: ReplicaId): number | undefined {
    if (this.#hearing === 'live') return this.#ledger.inFlight(replica);
    return this.#hearing === 'stale' ? this.#last.inFlight.get(replica) : undefined;
  }

  onChange(callback: (change: LedgerChange) => void): void {
    this.#listeners.push(callback);
  }

  #follow(ledger: Ledger): void {
    ledger.onChange((change) => {
      if (this.#hearing === 'live' && ledger === this.#ledger) this.#tell(change);
    });
  }

  #report(now: Instant): Report {
    const uids = this.#declared.map(({ uid }) => uid);
    const known = <T>(find: (uid: PresetUid) => T | undefined): ReadonlyMap<PresetUid, T> =>
      new Map(
        uids.flatMap((uid): [PresetUid, T][] => {
          const found = find(uid);
          return found === undefined ? [] : [[uid, found]];
        }),
      );
    return {
      activity: known((uid) => this.#ledger.activity(uid)),
      demand: known((uid) => this.#ledger.demand(uid)),
      peaks: known((uid) => this.#ledger.peak(uid, now)),
      inFlight: new Map(this.#replicas().map((id) => [id, this.#ledger.inFlight(id)])),
    };
  }

  #tell(change: LedgerChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
