import type { ActivitySource, LedgerChange } from '../activity/ledger.ts';
import type { Backend } from '../backend/backend.ts';
import { Alarm, type WakeIn } from '../domain/alarm.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Catalog } from '../domain/preset.ts';
import { presetsByUid } from '../domain/presets-by-uid.ts';
import { holdsCapacity, isLive, type Failure, type Replica } from '../domain/replica.ts';
import { earliest, since, type Instant } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import type { Action, Blocked } from '../planner/action.ts';
import { plan } from '../planner/plan.ts';
import type { Plan, PlanInput, Reservations } from '../planner/plan-input.ts';
import { reservationsAfterRestart } from '../planner/reservations.ts';
import { whatIf, type WhatIf } from '../planner/what-if.ts';
import type { Words } from './describe-blocked.ts';
import type { FailureNote } from './failures.ts';
import { isUnsettled } from './is-unsettled.ts';
import type { Surroundings } from './learned-limits.ts';
import { settleOrders } from './order-book.ts';
import { Outcomes } from './outcomes.ts';
import { PresetViews, type PresetView } from './preset-views.ts';
import { takeSnapshot } from './take-snapshot.ts';

/** What the loop needs from outside. */
export interface ControlParts {
  readonly backend: Backend;
  readonly activity: ActivitySource;
  /** The failures that whoever decided before has noted; none unless given. */
  readonly remembered?: ReadonlyMap<PresetUid, FailureNote>;
  /** Takes what every declared preset is doing, after each plan; called in the tick of the plan. */
  readonly publish: (presets: readonly PresetView[]) => void;
  readonly log: Log;
  readonly now: () => Instant;
  readonly wakeIn: WakeIn;
}

/**
 * Applying a plan makes the next one different: a drained replica that is idle can be stopped, and the preset of one that
 * drains may be ordered to be loaded again. The chain ends after drain, stop and start. A longer one is a fault of the
 * planner, and going on would spin.
 */
const MAX_ROUNDS = 8;

/** Look, plan, act, publish; then sleep until something changes. The only writer of its backend. */
export class ControlLoop {
  readonly #parts: ControlParts;
  #catalog: Catalog = { pools: [], presets: [] };
  #orders = new Map<PresetUid, Order>();
  readonly #outcomes: Outcomes;
  readonly #views = new PresetViews();
  /** `undefined`: nothing was planned yet. */
  #reservations: Reservations | undefined;
  #unsettled = false;
  #stopped = false;
  #scheduled = false;
  readonly #alarm: Alarm;
  readonly #emptied: (() => void)[] = [];

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#outcomes = new Outcomes(parts.remembered);
    this.#alarm = new Alarm(parts.wakeIn, () => {
      this.#schedule();
    });
    parts.backend.onChange(() => {
      this.#schedule();
    });
    parts.activity.onChange((change) => {
      if (this.#mayMatter(change)) this.#schedule();
    });
  }

  /** Replaces all that is declared, and returns when that is published. What is gone or changed drains in its own time. */
  setCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    this.#parts.activity.declare(catalog.presets, this.#parts.now());
    this.#reconcile();
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Wants a preset loaded without a request, as soon as no failure of it has to be waited for. */
  wantLoaded(uid: PresetUid): void {
    this.#order(uid, 'load');
  }

  /** The same, at once: an explicit order ends a back-off. */
  orderLoad(uid: PresetUid): void {
    this.#outcomes.hurry(uid, this.#parts.now());
    this.#order(uid, 'load');
  }

  /** Whether somebody has ordered a load that is neither done nor has failed. */
  isLoadOrdered(uid: PresetUid): boolean {
    const order = this.#orders.get(uid);
    return order?.kind === 'load' && order.madeFor === undefined;
  }

  /** Wants a preset's replicas gone, once their requests have ended. */
  orderUnload(uid: PresetUid): void {
    this.#order(uid, 'unload');
  }

  /** Whether a replica of it exists that is not on its way out. */
  isLive(uid: PresetUid): boolean {
    return this.#parts.backend.observe().some((replica) => replica.preset === uid && isLive(replica));
  }

  /** Its replicas that hold capacity, in whatever state. */
  replicasOf(uid: PresetUid): ReplicaId[] {
    const own = this.#parts.backend.observe().filter((replica) => replica.preset === uid && holdsCapacity(replica));
    return own.map(({ id }) => id);
  }

  /** What would become of a request for a preset now. Changes nothing. `undefined`: no such preset is declared. */
  plan(uid: PresetUid): WhatIf | undefined {
    return whatIf(this.#snapshot(this.#parts.backend.observe(), this.#parts.now()), uid);
  }

  /** Each preset's last failure, also when it may be tried again. */
  get failures(): ReadonlyMap<PresetUid, FailureNote> {
    return this.#outcomes.failures;
  }

  /** In what words the scheduler has refused a preset last; `undefined`: it has not, or that does not hold any more. */
  schedulerWords(uid: PresetUid): string | undefined {
    return this.#outcomes.schedulerWords(uid);
  }

  /** Drains and stops everything, and resolves when every replica is gone. */
  async stopAll(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#emptied.push(resolve));
    this.setCatalog({ pools: this.#catalog.pools, presets: [] });
    return gone;
  }

  /** Plans nothing more: what runs goes on as it is. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
  }

  /** Whoever asks for the same again has waited since the first time: else a client that repeats itself would never have its turn. */
  #order(uid: PresetUid, kind: Order['kind']): void {
    const standing = this.#orders.get(uid);
    this.#orders.set(uid, { kind, since: standing?.kind === kind ? standing.since : this.#parts.now() });
    this.#reconcile();
  }

  /** The end of a request matters only to somebody who waits for it. */
  #mayMatter(change: LedgerChange): boolean {
    return change === 'demand' || change === 'pressure' || (change === 'idle' && this.#unsettled);
  }

  /** Once in this tick, however much happens in it. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#reconcile();
    });
  }

  #reconcile(): void {
    if (this.#stopped) return;
    const now = this.#parts.now();
    this.#noteOutcomes(now);
    const last = this.#settle(now);
    const replicas = this.#parts.backend.observe();
    this.#outcomes.judge(last.blocked, { catalog: this.#catalog, replicas, now });
    const scene = { presets: this.#catalog.presets, replicas, activity: this.#parts.activity };
    this.#unsettled = isUnsettled(scene, last.blocked);
    this.#publish(replicas, last.blocked, now);
    this.#sleep(last.wakeAt, now);
    if (replicas.length === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #noteOutcomes(now: Instant): void {
    const replicas = this.#parts.backend.observe();
    const surroundings = { catalog: this.#catalog, replicas, now };
    for (const replica of replicas) {
      const { preset, state } = replica;
      if (state.kind === 'ready' && state.loadTime !== undefined) this.#outcomes.ready(preset, state.loadTime);
      if (state.kind === 'failed') this.#noteFailure(replica, state.failure, surroundings);
    }
    this.#outcomes.keepOnly(surroundings);
  }

  #noteFailure(replica: Replica, failure: Failure, surroundings: Surroundings): void {
    const { backend, log } = this.#parts;
    const { kind, until } = this.#outcomes.failed(replica, failure, surroundings);
    if (kind === 'failure') this.#endLoad(replica);
    backend.forget(replica.id);
    const { reason, logTail } = failure;
    const retryInMs = Math.ceil(since(surroundings.now, until));
    if (kind === 'failure') log.warn('replica failed', { replica: replica.id, reason, retryInMs, logTail });
    else log.warn('replica found no place', { replica: replica.id, reason, retryInMs });
  }

  /**
   * What has failed as it is declared is ordered no more. What the scheduler refuses is still wanted; and the end of one that was on its way
   * out, or was to go, changes nothing of what is ordered.
   */
  #endLoad({ preset: uid, rendered }: Replica): void {
    const declared = presetsByUid(this.#catalog.presets).get(uid);
    if (declared?.rendered === rendered && this.#orders.get(uid)?.kind === 'load') this.#orders.delete(uid);
  }

  /** Plans and acts until there is nothing to do. */
  #settle(now: Instant): Plan {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const replicas = this.#parts.backend.observe();
      this.#orders = settleOrders(this.#orders, this.#catalog.presets, replicas, now);
      const next = plan(this.#snapshot(replicas, now));
      this.#reservations = next.reservations;
      if (next.actions.length === 0) return next;
      for (const action of next.actions) this.#apply(action, now);
    }
    throw new Error(`the planner did not settle within ${MAX_ROUNDS} rounds`);
  }

  #snapshot(replicas: readonly Replica[], now: Instant): PlanInput {
    const { presets } = this.#catalog;
    const kept = {
      catalog: this.#catalog,
      orders: this.#orders,
      backOffs: this.#outcomes.backOffs(presets, now),
      learnedLimits: this.#outcomes.limits(now),
      reservations: this.#reservations ?? reservationsAfterRestart({ presets, replicas }),
    };
    return takeSnapshot(kept, replicas, this.#parts.activity, now);
  }

  #apply(action: Action, now: Instant): void {
    this.#parts.log.debug('applying action', { action: action.kind, ...loggable(action) });
    if (action.kind === 'start') this.#outcomes.started(action.preset.uid, now);
    this.#parts.backend.apply(action);
  }

  #publish(replicas: readonly Replica[], blocked: readonly Blocked[], now: Instant): void {
    const notes = {
      orders: this.#orders,
      backOffs: this.#outcomes.backOffs(this.#catalog.presets, now),
      rejections: this.#outcomes.rejections(now),
      loads: this.#outcomes.loads,
      blocked: new Map(blocked.map((one) => [one.preset, one])),
      words: this.#words(),
    };
    this.#parts.publish(this.#views.look(this.#catalog, replicas, notes));
  }

  #words(): Words {
    const declared = presetsByUid(this.#catalog.presets);
    return { nameOf: (uid) => declared.get(uid)?.model, schedulerWords: (uid) => this.schedulerWords(uid) };
  }

  /** Also wakes when a back-off ends: until then the routes refuse. */
  #sleep(wakeAt: Instant | undefined, now: Instant): void {
    const ends = this.#outcomes.ends(now);
    this.#alarm.setTo(earliest(wakeAt === undefined ? ends : [wakeAt, ...ends]), now);
  }
}

function loggable(action: Action): Record<'model' | 'replica' | 'cause', string | undefined> {
  return {
    model: action.kind === 'start' ? action.preset.model : undefined,
    replica: action.kind === 'start' ? undefined : action.replica,
    cause: action.kind === 'drain' ? action.cause.kind : undefined,
  };
}
