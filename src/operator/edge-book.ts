import type { ActivitySource, Declared, LedgerChange } from '../activity/ledger.ts';
import { EDGE_REPORTS } from '../api/cluster/resources.ts';
import type { Activity, Demand, Peak } from '../domain/activity.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { memoize } from '../domain/memoize.ts';
import { after, later, milliseconds, type Duration, type Instant } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { DrainJudge, type DrainJudgeParts } from './drain-judge.ts';
import type { EdgeLife } from './drain-witnesses.ts';
import { EdgeHearing } from './edge-hearing.ts';
import { EdgePeaks } from './edge-peaks.ts';
import { EdgePressure } from './edge-pressure.ts';
import type { EdgeRecord, ReportedOrder } from './edge-record.ts';
import { EdgeRegistry, type EdgeChange, type KnownEdge } from './edge-registry.ts';
import { EdgeTotals } from './edge-totals.ts';
import { IdleTimes } from './idle-times.ts';

export interface EdgeBookParts {
  readonly api: KubeApi;
  readonly gateOf: DrainJudgeParts['gateOf'];
  readonly isLeading: DrainJudgeParts['isLeading'];
  readonly lookAtSlots: DrainJudgeParts['lookAtSlots'];
  /** Carries out an order of a client. Called once for each, when its preset is declared. */
  readonly onOrder: (order: ReportedOrder) => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * What the edges have seen, from their reports. What an edge that is silent has in use counts as it spoke last, for as long as
 * it is not proven dead: missing information never allows a stop. Only of a replica that drains can its own slots tell instead.
 * Who waited there counts only as long as the edge is heard of: for them something would be stopped.
 */
export class EdgeBook implements ActivitySource {
  readonly #parts: EdgeBookParts;
  readonly #reports: Reflector;
  readonly #registry = new EdgeRegistry();
  readonly #totalsOf = memoize((edges: readonly KnownEdge[]) => new EdgeTotals(edges));
  readonly #idleTimes = new IdleTimes();
  readonly #peaks = new EdgePeaks();
  readonly #pressure = new EdgePressure();
  readonly #drains: DrainJudge;
  readonly #hearing: EdgeHearing;
  readonly #listeners: ((change: LedgerChange) => void)[] = [];
  /** Since when each declared preset is known to this process. */
  #declared: ReadonlyMap<PresetUid, Instant> = new Map();
  /** Places in the order of use that an earlier leader has written, the longest idle first. */
  #places: ReadonlyMap<PresetUid, number> = new Map();
  #seenOrders: ReadonlySet<string> = new Set();
  #syncedAt: Instant | undefined;

  constructor(parts: EdgeBookParts) {
    const { api, gateOf, isLeading, lookAtSlots, timers, log } = parts;
    this.#parts = parts;
    const onChange = (): void => {
      this.#look();
    };
    this.#reports = new Reflector({ api, resource: EDGE_REPORTS, scope: {}, log, timers, onChange });
    this.#drains = new DrainJudge({
      api,
      registry: this.#registry,
      gateOf,
      listEdges: async () => this.#listByQuorum(),
      isLeading,
      lookAtSlots,
      onDead: (record) => {
        this.#bury(record);
      },
      onNews: () => {
        this.#tell('idle');
      },
      timers,
      log,
    });
    this.#hearing = this.#createHearing();
  }

  /** Resolves when all reports were read. Until then everything is unknown. */
  async start(): Promise<void> {
    if ((await this.#reports.start()) === 'stopped') return;
    this.#syncedAt = this.#parts.timers.now();
    this.#look();
    this.#notePeaks(this.#syncedAt);
    this.#drains.begin();
  }

  /** The API server answers again. */
  retryNow(): void {
    this.#reports.retryNow();
  }

  /** Reads all reports anew. To be called after `start`. */
  async refresh(): Promise<void> {
    await this.#reports.refresh();
    this.#look();
  }

  /** Resolves when nothing is open any more. */
  async stop(): Promise<void> {
    await Promise.all([this.#reports.stop(), this.#drains.stop(), this.#hearing.stop()]);
  }

  /** Whether all reports were read. */
  get synced(): boolean {
    return this.#syncedAt !== undefined;
  }

  /** How many edges there are. One that has taken its report away counts no more. */
  get edges(): number {
    return this.#totals.present.length;
  }

  /**
   * The API server has this gate closed: from now on no edge may learn otherwise. To be called after the write was answered,
   * or when the gate is found closed.
   */
  gateClosed(replica: ReplicaId, epoch: number): void {
    this.#drains.closed(replica, epoch);
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
    this.#idleTimes.keepOnly(
      (uid) => this.#declared.has(uid) || this.#totals.records.some(({ models }) => models.has(uid)),
    );
    // Not within the call: whoever declares has more to do before it can take orders.
    queueMicrotask(() => {
      this.#passOrders();
    });
  }

  /**
   * Takes over the order of use that an earlier leader has written, the longest idle first: it orders those of whose use no
   * edge tells, since their edges have ended, and nothing else.
   */
  recall(order: readonly PresetUid[]): void {
    this.#places = new Map(order.map((uid, place) => [uid, place]));
  }

  /** Without an edge, and while one cannot be understood, nothing is known. */
  activity(uid: PresetUid): Activity {
    const declaredAt = this.#declared.get(uid);
    if (declaredAt === undefined || this.#syncedAt === undefined || !this.#totals.isUnderstood)
      return { kind: 'unknown' };
    const inFlight = this.#totals.inFlight(uid);
    if (inFlight > 0) return { kind: 'busy', inFlight };
    const idleSince = this.#idleTimes.find(uid);
    if (idleSince !== undefined) return { kind: 'idle', since: idleSince };
    return { kind: 'idle', since: after(later(declaredAt, this.#syncedAt), this.#handicapOf(uid)) };
  }

  /**
   * A millisecond for each place: an order, and nobody counts as idle for longer than is known. What is not in the order was
   * in use when it was written, or came later.
   */
  #handicapOf(uid: PresetUid): Duration {
    const place = this.#places.get(uid);
    return milliseconds(place === undefined ? this.#places.size : place);
  }

  peak(uid: PresetUid, now: Instant): Peak | undefined {
    return this.#peaks.find(uid, now);
  }

  /** When its last request ended, or was last told of; `undefined`: no edge has ever told of a request. */
  lastUse(uid: PresetUid): Instant | undefined {
    return this.#idleTimes.find(uid);
  }

  demand(uid: PresetUid): Demand | undefined {
    return this.#declared.has(uid) ? this.#totals.demand(uid) : undefined;
  }

  /**
   * While the gate is open: what the edges say. Once it is closed, only the word of every edge that could have seen it open
   * counts, and only what it says after it has stopped to send requests there; of those that are silent see `judge`.
   */
  inFlight(replica: ReplicaId): number | undefined {
    const gate = this.#parts.gateOf(replica);
    if (gate === undefined || !gate.confirmed || this.#syncedAt === undefined) return undefined;
    if (gate.closed) return this.#drains.find(replica)?.inFlight;
    return this.#totals.isUnderstood ? this.#countInFlight(replica) : undefined;
  }

  /** The edges that have not said that they have nothing at a replica that drains: whoever stops it now presumes that they are dead. */
  unheard(replica: ReplicaId): readonly string[] {
    const verdict = this.#drains.find(replica);
    return verdict === undefined ? [] : verdict.unheard;
  }

  onChange(callback: (change: LedgerChange) => void): void {
    this.#listeners.push(callback);
  }

  /** As of now: it is to be asked for each time. */
  get #totals(): EdgeTotals {
    return this.#totalsOf(this.#registry.all);
  }

  #createHearing(): EdgeHearing {
    const { timers, log } = this.#parts;
    return new EdgeHearing({
      speakers: () => this.#registry.all.filter((edge) => waitedFor(edge).length > 0).map(({ record }) => record),
      list: async () => this.#listByQuorum(),
      onUnheard: (record) => {
        this.#unhear(record);
      },
      timers,
      log,
    });
  }

  #notePeaks(now: Instant): void {
    const isKnown = this.#syncedAt !== undefined && this.#totals.isUnderstood;
    this.#peaks.note(isKnown ? (uid) => this.#totals.inFlight(uid) : undefined, now);
  }

  #countInFlight(replica: ReplicaId): number {
    return sum(this.#totals.records.map(({ inFlight }) => inFlight.get(replica)));
  }

  /** Reads nothing that is older than the call. */
  async #listByQuorum(): Promise<readonly EdgeLife[]> {
    const list = await this.#parts.api.list(EDGE_REPORTS, {});
    for (const object of list.items) this.#reports.absorb(object);
    // Also what was listed and is deleted by now: that proves nothing.
    this.#take([...this.#reports.objects(), ...list.items]);
    return this.#totals.records.map(({ key, bootId }) => ({ key, bootId }));
  }

  #look(): void {
    if (this.#reports.synced) this.#take(this.#reports.objects());
  }

  #take(reports: readonly KubeObject[]): void {
    const now = this.#parts.timers.now();
    this.#note(this.#registry.look(reports, now), now);
    this.#passOrders();
    this.#drains.follow();
    this.#hearing.follow();
  }

  /** Who waits there for all that counts again with its age as soon as the edge is heard again. */
  #unhear(record: EdgeRecord): void {
    const change = this.#registry.unhear(record);
    if (change === undefined) return;
    this.#parts.log.warn('an edge is not heard of: who waits there counts no more', { edge: record.name });
    this.#note([change], this.#parts.timers.now());
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
    const rises = this.#pressure.rises((uid) => this.#totals.inFlight(uid));
    if (changes.some(changesDemand)) this.#tell('demand');
    else if (changes.length > 0) this.#tell(rises ? 'pressure' : 'idle');
  }

  #passOrders(): void {
    const listed = this.#totals.present.flatMap(({ orders }) => orders);
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
  edge === undefined || edge.hasLeft || edge.isUnheard
    ? []
    : [...edge.record.models].filter(([, { waiting }]) => waiting > 0).map(([uid]) => uid);
