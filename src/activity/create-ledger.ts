import type { Activity } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';
import { PresetAccount, type AccountEvents } from './account.ts';
import type { ChangePlace, Declared, Ledger, LedgerChange, Tally } from './ledger.ts';

/** An empty ledger: every preset's activity is unknown until it is declared. */
export function createLedger(): Ledger {
  const accounts = new Map<PresetUid, PresetAccount>();
  const replicas = new Map<ReplicaId, number>();
  const listeners: ((change: LedgerChange, place: ChangePlace) => void)[] = [];
  const count = (replica: ReplicaId): number => {
    const requests = replicas.get(replica);
    return requests === undefined ? 0 : requests;
  };
  const events: AccountEvents = {
    begun: (replica) => {
      const there = count(replica) + 1;
      replicas.set(replica, there);
      return there;
    },
    ended: (replica) => {
      const left = count(replica) - 1;
      if (left === 0) replicas.delete(replica);
      else replicas.set(replica, left);
      return left;
    },
    changed: (change, place) => {
      for (const listener of listeners) listener(change, place);
    },
  };
  return {
    find: (uid) => accounts.get(uid),
    declare: (presets, now) => {
      const declared = [...presets];
      declare(accounts, declared, (uid) => new PresetAccount(uid, now, events));
      for (const { uid, scaling } of declared) accounts.get(uid)?.scale(scaling, now);
    },
    activity: (uid): Activity => {
      const account = accounts.get(uid);
      return account === undefined ? { kind: 'unknown' } : account.activity();
    },
    demand: (uid) => accounts.get(uid)?.demand(),
    lastUse: (uid) => lastUseOf(accounts.get(uid)?.tally()),
    peak: (uid, now) => accounts.get(uid)?.peak(now),
    inFlight: count,
    tally: (uid) => accounts.get(uid)?.tally(),
    busyReplicas: () => new Map(replicas),
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
}

const lastUseOf = (tally: Tally | undefined): Instant | undefined =>
  tally?.activity.kind === 'idle' && tally.started > 0 ? tally.activity.since : undefined;

/** Opens what is new and closes what is no longer declared. A closed account lives on in the hands of its requests. */
function declare(
  accounts: Map<PresetUid, PresetAccount>,
  presets: readonly Declared[],
  open: (uid: PresetUid) => PresetAccount,
): void {
  const declared = new Set(presets.map(({ uid }) => uid));
  for (const uid of accounts.keys()) if (!declared.has(uid)) accounts.delete(uid);
  for (const uid of declared) if (!accounts.has(uid)) accounts.set(uid, open(uid));
}
