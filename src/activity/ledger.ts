import type { Activity, Demand, Peak } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Scaling } from '../domain/preset.ts';
import type { Instant } from '../domain/units.ts';

/** A preset whose requests are counted. */
export interface Declared {
  readonly uid: PresetUid;
  /** `undefined`: nobody declares it any more, but its replicas may still have requests. */
  readonly scaling: Pick<Scaling, 'maxReplicas' | 'targetInFlight'> | undefined;
}

/** One held request, or an order that is waited for. Ends exactly once: by `dispatch`, `end` or `leave`. */
export interface Waiting {
  /** It goes to a replica now: waiting - 1, in flight + 1, in one step. Throws if it has ended. */
  dispatch(replica: ReplicaId, now: Instant): InFlight;
  /** It has what it waited for, and sends nothing to a replica. Throws if it has ended. */
  end(): void;
  /** It goes unserved. Throws if it has ended. */
  leave(now: Instant): void;
}

/** One request at a replica. Ends exactly once. */
export interface InFlight {
  /** The last byte is out, or the client or the upstream is gone: the idle clock starts. Throws if it has ended. */
  end(now: Instant): void;
}

/** One preset's account. Held by who looked it up, so that a reload between look-up and counting loses nothing. */
export interface Account {
  readonly uid: PresetUid;
  /** Counts one waiting request, which wants a replica. */
  wait(now: Instant): Waiting;
  /** Counts one that waits for others to end, at replicas that are ready: nobody has to load anything for it. */
  queue(): Waiting;
  /** Counts one request that goes to a replica at once. */
  begin(replica: ReplicaId, now: Instant): InFlight;
  /** How many wait now, for a replica or for others to end. */
  readonly waiting: number;
}

/**
 * `demand`: the first waiter came or the last one went. `busy`: the first request in flight of a preset or a replica began, or any
 * of a preset that may have several replicas. `idle`: the last one of a preset or a replica ended. `pressure`: the requests in flight
 * of a preset that may have several replicas have risen above a multiple of its `targetInFlight`.
 */
export type LedgerChange = 'demand' | 'busy' | 'idle' | 'pressure';

/** Whose change it is. */
export interface ChangePlace {
  readonly preset: PresetUid;
  /** Where the request began or ended; `undefined`: it waited, and was at none. */
  readonly replica: ReplicaId | undefined;
}

/** All that one account has counted. */
export interface Tally {
  readonly activity: Exclude<Activity, { readonly kind: 'unknown' }>;
  readonly demand: Demand | undefined;
  /** Requests that wait for others to end, and are no demand. */
  readonly queued: number;
  /** Requests that went to a replica, and those of them that have ended, since the account was opened. */
  readonly started: number;
  readonly finished: number;
}

/** What planning needs to know of the requests, wherever they are counted. */
export interface ActivitySource {
  /** From now on these presets exist and no others. */
  declare(presets: Iterable<Declared>, now: Instant): void;
  activity(uid: PresetUid): Activity;
  demand(uid: PresetUid): Demand | undefined;
  /** When a request of it has ended last; `undefined`: none that is known of. While one is in flight it may say anything. */
  lastUse(uid: PresetUid): Instant | undefined;
  /** The most in flight at once in the last minute; `undefined`: unknown, or the preset may have one replica only. */
  peak(uid: PresetUid, now: Instant): Peak | undefined;
  /** Requests in flight at one replica; `undefined`: unknown, which is not zero. */
  inFlight(replica: ReplicaId): number | undefined;
  /** Calls back in the same tick on the changes that planning may depend on. */
  onChange(callback: (change: LedgerChange) => void): void;
}

/** What the edge has seen: it writes, the control loop reads. */
export interface Ledger extends ActivitySource {
  /** `undefined`: no such preset, and none is made. */
  find(uid: PresetUid): Account | undefined;
  /** Accounts are opened and closed here and nowhere else; one that is closed still counts its requests down. */
  declare(presets: Iterable<Declared>, now: Instant): void;
  /** Requests in flight at one replica: nobody else sends any. */
  inFlight(replica: ReplicaId): number;
  /** `undefined`: no such preset. */
  tally(uid: PresetUid): Tally | undefined;
  /** Replicas with requests in flight, and how many; also those of closed accounts. */
  busyReplicas(): ReadonlyMap<ReplicaId, number>;
  onChange(callback: (change: LedgerChange, place: ChangePlace) => void): void;
}
