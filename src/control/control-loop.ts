import type { ActivitySource, LedgerChange } from '../activity/ledger.ts';
import type { Backend } from '../backend/backend.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import { isLive, type Replica } from '../domain/replica.ts';
import { earliest, since, type Duration, type Instant } from '../domain/units.ts';
import type { Log } from '../platform/log.ts';
import type { Action, Blocked } from '../planner/action.ts';
import { plan } from '../planner/plan.ts';
import type { Plan } from '../planner/plan-input.ts';
import type { RouteSource } from '../routing/build-route-table.ts';
import { backingOff, noteFailure, type FailureNote } from './failures.ts';
import { settleOrders } from './order-book.ts';
import { standingOf } from './standing-of.ts';
import { takeSnapshot } from './take-snapshot.ts';

/** One declared preset, its replicas, and how it stands with the planner. */
export interface PresetView extends RouteSource {
  readonly preset: Preset;
}

/** What the loop needs from outside. */
export interface ControlParts {
  readonly backend: Backend;
  readonly activity: ActivitySource;
  /** Takes what every declared preset is doing, after each plan; called in the tick of the plan. */
  readonly publish: (presets: readonly PresetView[]) => void;
  readonly log: Log;
  readonly now: () => Instant;
  /** Calls back once after `delay`; the returned function cancels. */
  readonly wakeIn: (delay: Duration, callback: () => void) => () => void;
}

/**
 * Applying a plan makes the next one different (a drained replica that is idle can be stopped), and the chain ends
 * after drain and stop. A longer one is a fault of the planner, and going on would spin.
 */
const MAX_ROUNDS = 8;

/** Look, plan, act, publish; then sleep until something changes. The only writer of its backend. */
export class ControlLoop {
  readonly #parts: ControlParts;
  #catalog: Catalog = { pools: [], presets: [] };
  #orders = new Map<PresetUid, Order>();
  readonly #failures = new Map<PresetUid, FailureNote>();
  readonly #loads = new Map<PresetUid, Duration>();
  #unsettled = false;
  #stopped = false;
  #scheduled = false;
  #cancelWake: (() => void) | undefined;
  readonly #emptied: (() => void)[] = [];

  constructor(parts: ControlParts) {
    this.#parts = parts;
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
    this.#parts.activity.declare(
      catalog.presets.map((preset) => preset.uid),
      this.#parts.now(),
    );
    this.#reconcile();
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Wants a preset loaded without a request. An explicit order ends a back-off. */
  orderLoad(uid: PresetUid): void {
    this.#failures.delete(uid);
    this.#order(uid, 'load');
  }

  /** Wants a preset's replicas gone, once their requests have ended. */
  orderUnload(uid: PresetUid): void {
    this.#order(uid, 'unload');
  }

  /** Whether a replica of it exists that is not on its way out. */
  isLive(uid: PresetUid): boolean {
    return this.#parts.backend.observe().some((replica) => replica.preset === uid && isLive(replica));
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
    this.#cancelWake?.();
  }

  #order(uid: PresetUid, kind: Order['kind']): void {
    this.#orders.set(uid, { kind, since: this.#parts.now() });
    this.#reconcile();
  }

  /** The end of a request matters only to somebody who waits for it. */
  #mayMatter(change: LedgerChange): boolean {
    return change === 'demand' || (change === 'idle' && this.#unsettled);
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
    this.#cancelWake?.();
    const now = this.#parts.now();
    this.#noteOutcomes(now);
    const last = this.#settle(now);
    const replicas = this.#parts.backend.observe();
    this.#unsettled = last.blocked.length > 0 || replicas.some(({ state }) => state.kind === 'draining');
    this.#publish(replicas, last.blocked, now);
    this.#sleep(last.wakeAt, now);
    if (replicas.length === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #noteOutcomes(now: Instant): void {
    const { backend, log } = this.#parts;
    for (const { id, preset, rendered, state } of backend.observe()) {
      if (state.kind === 'ready') this.#loads.set(preset, state.loadTime);
      if (state.kind !== 'failed') continue;
      const note = noteFailure(this.#failures.get(preset), state.failure, rendered);
      this.#failures.set(preset, note);
      this.#orders.delete(preset);
      backend.forget(id);
      const retryInMs = since(now, note.until);
      const { reason, logTail } = state.failure;
      log.warn('replica failed', { replica: id, reason, retryInMs, logTail });
    }
    const declared = new Set(this.#catalog.presets.map((preset) => preset.uid));
    for (const book of [this.#failures, this.#loads]) {
      for (const uid of book.keys()) if (!declared.has(uid)) book.delete(uid);
    }
  }

  /** Plans and acts until there is nothing to do. */
  #settle(now: Instant): Plan {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const replicas = this.#parts.backend.observe();
      this.#orders = settleOrders(this.#orders, this.#catalog.presets, replicas, now);
      const kept = { catalog: this.#catalog, orders: this.#orders, backOffs: this.#backOffs(now) };
      const next = plan(takeSnapshot(kept, replicas, this.#parts.activity, now));
      if (next.actions.length === 0) return next;
      for (const action of next.actions) this.#apply(action);
    }
    throw new Error(`the planner did not settle within ${MAX_ROUNDS} rounds`);
  }

  #apply(action: Action): void {
    this.#parts.log.debug('applying action', { action: action.kind, ...loggable(action) });
    this.#parts.backend.apply(action);
  }

  /** Who has to wait now, after a failure of what is declared now. */
  #backOffs(now: Instant): Map<PresetUid, FailureNote> {
    return new Map(
      this.#catalog.presets.flatMap((preset) => {
        const note = backingOff(this.#failures, preset, now);
        return note === undefined ? [] : [[preset.uid, note]];
      }),
    );
  }

  #publish(replicas: readonly Replica[], blocked: readonly Blocked[], now: Instant): void {
    const notes = {
      pools: this.#catalog.pools,
      orders: this.#orders,
      backOffs: this.#backOffs(now),
      loads: this.#loads,
      blocked,
    };
    const byPreset = Map.groupBy(replicas, (replica) => replica.preset);
    const views = this.#catalog.presets.map((preset) => {
      const own = byPreset.get(preset.uid);
      return { preset, replicas: own === undefined ? [] : own, standing: standingOf(preset, notes) };
    });
    this.#parts.publish(views);
  }

  /** Also wakes when a back-off ends: until then the routes refuse. */
  #sleep(wakeAt: Instant | undefined, now: Instant): void {
    const ends = [...this.#failures.values()].map((note) => note.until).filter((until) => until > now);
    const next = earliest(wakeAt === undefined ? ends : [wakeAt, ...ends]);
    this.#cancelWake =
      next === undefined
        ? undefined
        : this.#parts.wakeIn(since(now, next), () => {
            this.#schedule();
          });
  }
}

function loggable(action: Action): Record<'model' | 'replica' | 'cause', string | undefined> {
  return {
    model: action.kind === 'start' ? action.preset.model : undefined,
    replica: action.kind === 'start' ? undefined : action.replica,
    cause: action.kind === 'drain' ? action.cause.kind : undefined,
  };
}
