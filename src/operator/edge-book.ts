import type { ActivitySource, Declared, LedgerChange } from '../activity/ledger.ts';
import type { Gate } from '../api/cluster/pod-marks.ts';
import { EDGE_REPORTS } from '../api/cluster/resources.ts';
import type { Activity, Demand, Peak } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { earliest, later, type Instant } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { DrainWitnesses, type EdgeLife } from './drain-witnesses.ts';
import { EdgeInquiry, type Suspect } from './edge-inquiry.ts';
import { EdgePeaks } from './edge-peaks.ts';
import { EdgePressure } from './edge-pressure.ts';
import type { EdgeRecord, ReportedOrder } from './edge-record.ts';
import { EdgeRegistry, type EdgeChange } from './edge-registry.ts';
import { IdleTimes } from './idle-times.ts';

export interface EdgeBookParts {
  readonly api: KubeApi;
  /** `confirmed`: the API server has it so. `undefined`: there is no such pod, or nobody can read its gate. */
  readonly gateOf: (replica: ReplicaId) => (Gate & { readonly confirmed: boolean }) | undefined;
  /** Carries out an order of a client. Called once for each, when its preset is declared. */
  readonly onOrder: (order: ReportedOrder) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * What the edges have seen, from their reports. An edge that is silent counts as it spoke last, for as long as it is not
 * proven dead: missing information never allows a stop.
 */
export class EdgeBook implements ActivitySource {
  readonly #parts: EdgeBookParts;
  readonly #reports: Reflector;
  readonly #registry = new EdgeRegistry();
  readonly #idleTimes = new IdleTimes();
  readonly #peaks = new EdgePeaks();
  readonly #pressure = new EdgePressure();
  readonly #witnesses: DrainWitnesses;
  readonly #inquiry: EdgeInquiry;
  readonly #listeners: ((change: LedgerChange) => void)[] = [];
  /** Since when each declared preset is known to this process. */
  #declared: ReadonlyMap<PresetUid, Instant> = new Map();
  #seenOrders: ReadonlySet<string> = new Set();
  #syncedAt: Instant | undefined;

  constructor(parts: EdgeBookParts) {
    const { api, timers, log } = parts;
    this.#parts = parts;
    const onChange = (): void => {
      this.#look();
    };
    this.#reports = new Reflector({ api, resource: EDGE_REPORTS, scope: {}, log, timers, onChange });
    this.#witnesses = new DrainWitnesses({
      list: async () => this.#listByQuorum(),
      onFound: () => {
        this.#tell('idle');
        this.#inquiry.follow();
      },
      timers,
      log,
    });
    const onDead = (record: EdgeRecord): void => {
      this.#bury(record);
    };
    this.#inquiry = new EdgeInquiry({ api, suspects: () => this.#suspects(), onDead, timers, log });
  }

  /** Resolves when all reports were read. Until then everything is unknown. */
  async start(): Promise<void> {
    if ((await this.#reports.start()) === 'stopped') return;
    this.#syncedAt = this.#parts.timers.now();
    this.#look();
    this.#notePeaks(this.#syncedAt);
    this.#witnesses.begin();
  }

  /** Reads all reports anew. To be called after `start`. */
  async refresh(): Promise<void> {
    await this.#reports.refresh();
    this.#look();
  }

  /** Resolves when nothing is open any more. */
  async stop(): Promise<void> {
    await Promise.all([this.#reports.stop(), this.#witnesses.stop(), this.#inquiry.stop()]);
  }

  /** Whether all reports were read. */
  get synced(): boolean {
    return this.#syncedAt !== undefined;
  }

  /** How many edges there are. One that has taken its report away counts no more. */
  get edges(): number {
    return this.#registry.all.filter(({ hasLeft }) => !hasLeft).length;
  }

  /**
   * The API server has this gate closed: from now on no edge may learn otherwise. To be called after the write was answered,
   * or when the gate is found closed.
   */
  gateClosed(replica: ReplicaId, epoch: number): void {
    this.#witnesses.closed(replica, epoch);
  }

  declare(presets: Iterable<Declared>, now: Instant): void {
    const kept = this.#declared;
    const declared = [...presets];
    this.#declared = new Map(
      declared.map(({ uid }) => {
        const since = kept.get(uid);
        return [uid, since === undefined ? now : since];
      }),
    );
    this.#peaks.declare(declared);
    this.#pressure.declare(declared);
    this.#notePeaks(now);
    this.#idleTimes.keepOnly((uid) => this.#declared.has(uid) || this.#records.some(({ models }) => models.has(uid)));
    // Not within the call: whoever declares has more to do before it can take orders.
    queueMicrotask(() => {
      this.#passOrders();
    });
  }

  /** Without an edge, and while one cannot be understood, nothing is known. */
  activity(uid: PresetUid): Activity {
    const declaredAt = this.#declared.get(uid);
    if (declaredAt === undefined || this.#syncedAt === undefined || !this.#isUnderstood()) return { kind: 'unknown' };
    const inFlight = this.#requestsOf(uid);
    if (inFlight > 0) return { kind: 'busy', inFlight };
    const idleSince = this.#idleTimes.find(uid);
    return { kind: 'idle', since: idleSince === undefined ? later(declaredAt, this.#syncedAt) : idleSince };
  }

  peak(uid: PresetUid, now: Instant): Peak | undefined {
    return this.#peaks.find(uid, now);
  }

  /** When its last request ended, or now if it is in use; `undefined`: no edge has ever told of a request. */
  lastUse(uid: PresetUid): Instant | undefined {
    return this.#idleTimes.find(uid);
  }

  demand(uid: PresetUid): Demand | undefined {
    if (!this.#declared.has(uid)) return undefined;
    const seen = this.#present.map(({ models }) => models.get(uid)).filter((model) => model !== undefined);
    const since = earliest(seen.flatMap(({ waitingSince }) => waitingSince ?? []));
    return since === undefined ? undefined : { waiting: sum(seen.map(({ waiting }) => waiting)), since };
  }

  /**
   * While the gate is open: what the edges say. Once it is closed, only the word of every edge that could have seen it open
   * counts, and only what it says after it has stopped to send requests there.
   */
  inFlight(replica: ReplicaId): number | undefined {
    const gate = this.#parts.gateOf(replica);
    if (gate === undefined || !gate.confirmed || this.#syncedAt === undefined) return undefined;
    if (gate.closed) return this.#inFlightBehind(replica, gate.epoch);
    return this.#isUnderstood() ? this.#countInFlight(replica) : undefined;
  }

  onChange(callback: (change: LedgerChange) => void): void {
    this.#listeners.push(callback);
  }

  get #records(): readonly EdgeRecord[] {
    return this.#registry.all.map(({ record }) => record);
  }

  /** Of edges that still report. */
  get #present(): readonly EdgeRecord[] {
    return this.#registry.all.filter(({ hasLeft }) => !hasLeft).map(({ record }) => record);
  }

  #requestsOf(uid: PresetUid): number {
    return sum(this.#records.map(({ models }) => models.get(uid)?.inFlight));
  }

  #notePeaks(now: Instant): void {
    const isKnown = this.#syncedAt !== undefined && this.#isUnderstood();
    this.#peaks.note(isKnown ? (uid) => this.#requestsOf(uid) : undefined, now);
  }

  #isUnderstood(): boolean {
    return this.#records.length > 0 && this.#records.every(({ bootId }) => bootId !== undefined);
  }

  #inFlightBehind(replica: ReplicaId, epoch: number): number | undefined {
    const witnesses = this.#witnesses.find(replica, epoch);
    if (witnesses === undefined) return undefined;
    if (witnesses.some((life) => this.#owes(life, replica, epoch))) return undefined;
    return this.#countInFlight(replica);
  }

  #countInFlight(replica: ReplicaId): number {
    return sum(this.#records.map(({ inFlight }) => inFlight.get(replica)));
  }

  /** A life that is over, proven or replaced by a later one, owes nothing. */
  #owes({ key, bootId }: EdgeLife, replica: ReplicaId, epoch: number): boolean {
    const record = this.#registry.find(key)?.record;
    if (record === undefined || (bootId !== undefined && record.bootId !== bootId)) return false;
    return record.acks.get(replica) !== epoch;
  }

  /** Reads nothing that is older than the call. */
  async #listByQuorum(): Promise<readonly EdgeLife[]> {
    const list = await this.#parts.api.list(EDGE_REPORTS, {});
    for (const object of list.items) this.#reports.absorb(object);
    // Also what was listed and is deleted by now: that proves nothing.
    this.#take([...this.#reports.objects(), ...list.items]);
    return this.#records.map(({ key, bootId }) => ({ key, bootId }));
  }

  #suspects(): readonly Suspect[] {
    const awaited = this.#witnesses.known.flatMap(({ replica, epoch, witnesses }) =>
      witnesses.filter((life) => this.#owes(life, replica, epoch)).map(({ key }) => key),
    );
    return this.#registry.all.map(({ record, hasLeft }) => ({
      record,
      isAwaited: hasLeft || awaited.includes(record.key),
    }));
  }

  #look(): void {
    if (this.#reports.synced) this.#take(this.#reports.objects());
  }

  #take(reports: readonly KubeObject[]): void {
    const now = this.#parts.timers.now();
    this.#note(this.#registry.look(reports, now), now);
    this.#passOrders();
    this.#witnesses.keepOnly((replica, epoch) => {
      const gate = this.#parts.gateOf(replica);
      return gate?.closed === true && gate.epoch === epoch;
    });
    this.#inquiry.follow();
  }

  #bury(record: EdgeRecord): void {
    const change = this.#registry.bury(record);
    if (change === undefined) return;
    this.#parts.log.info('an edge is gone', { edge: record.name });
    this.#note([change], this.#parts.timers.now());
  }

  #note(changes: readonly EdgeChange[], now: Instant): void {
    for (const change of changes) {
      this.#idleTimes.note(change, now);
      const record = change.after?.record;
      if (record === undefined || record.bootId !== undefined) continue;
      this.#parts.log.error('the report of an edge cannot be read; nothing is stopped while it runs', {
        edge: record.name,
      });
    }
    if (changes.length > 0) this.#notePeaks(now);
    const rises = this.#pressure.rises((uid) => this.#requestsOf(uid));
    if (changes.some(changesDemand)) this.#tell('demand');
    else if (changes.length > 0) this.#tell(rises ? 'pressure' : 'idle');
  }

  #passOrders(): void {
    const listed = this.#present.flatMap(({ orders }) => orders);
    const due = listed.filter(({ id, preset }) => !this.#seenOrders.has(id) && this.#declared.has(preset));
    const ids = new Set(listed.map(({ id }) => id));
    this.#seenOrders = new Set([...[...this.#seenOrders].filter((id) => ids.has(id)), ...due.map(({ id }) => id)]);
    for (const order of due) this.#parts.onOrder(order);
  }

  #tell(change: LedgerChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const sum = (counts: readonly (number | undefined)[]): number =>
  counts.reduce<number>((total, count) => (count === undefined ? total : total + count), 0);

/** Somebody waits for a preset for which nobody waited, or the other way round. */
function changesDemand({ before, after }: EdgeChange): boolean {
  const [wanted, wantedNow] = [waitedFor(before), waitedFor(after)];
  return wanted.length !== wantedNow.length || wanted.some((uid) => !wantedNow.includes(uid));
}

const waitedFor = (edge: EdgeChange['before']): PresetUid[] =>
  edge === undefined || edge.hasLeft
    ? []
    : [...edge.record.models].filter(([, { waiting }]) => waiting > 0).map(([uid]) => uid);
