import { MAX_ORDERS } from '../api/edge-report-schema.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { isLive } from '../domain/replica.ts';
import { after, earliest, later, minutes, type Duration, type Instant } from '../domain/units.ts';
import type { Standing } from '../routing/standing.ts';
import type { Ordered } from '../edge/orders.ts';
import type { EdgeOrder } from './edge-order.ts';
import type { EdgeReplica } from './edge-replica.ts';
import type { Urgency } from './report-budget.ts';

/**
 * How long an order is reported at least that is not seen done: longer than an operator needs to start anew. One whose client waits
 * is reported for as long as the client may wait.
 */
const KEEP = minutes(1);

export interface ClusterOrdersParts {
  /** As they were when the route table was published last. */
  readonly replicasOf: (preset: PresetUid) => readonly EdgeReplica[];
  readonly isDeclared: (preset: PresetUid) => boolean;
  /** What its replicas have to serve to be of use, of the same moment; `undefined`: no route is known. */
  readonly servesNow: (preset: PresetUid) => string | undefined;
  /** Whether its status tells of a failed load, after which it is not tried again yet. */
  readonly isBackingOff: (preset: PresetUid) => boolean;
  readonly newId: () => string;
  readonly now: () => Instant;
  /** An order came, or one that the operator has seen is reported no more. */
  readonly onChange: (urgency: Urgency) => void;
}

/** What clients have ordered of this edge and the operator has not done yet; at most one order a preset. */
export class ClusterOrders {
  readonly #parts: ClusterOrdersParts;
  readonly #open = new Map<PresetUid, EdgeOrder>();

  constructor(parts: ClusterOrdersParts) {
    this.#parts = parts;
  }

  /**
   * A later order for the same preset replaces an earlier one. Whether one is needless the replicas tell, but not while an order to the
   * contrary is open, which they may be behind of. One that serves what was declared before an edit is on its way out, and no load.
   */
  load(preset: PresetUid, waits: Duration): Ordered {
    if (this.#current(preset).some(isLive) && this.#open.get(preset)?.kind !== 'Unload') return 'needless';
    return this.#add(preset, { kind: 'Load', replicas: [], waits });
  }

  unload(preset: PresetUid, waits: Duration): Ordered {
    const replicas = this.#live(preset);
    if (replicas.length === 0 && this.#open.get(preset)?.kind !== 'Load') return 'needless';
    return this.#add(preset, { kind: 'Unload', replicas, waits });
  }

  list(): readonly EdgeOrder[] {
    return [...this.#open.values()];
  }

  /** How a preset stands, with what its status cannot say yet: that a client of this edge has ordered it. */
  standing(preset: PresetUid, told: Standing): Standing {
    const order = this.#open.get(preset);
    if (order?.kind !== 'Load') return told;
    return { ...told, ordered: true, backOff: order.isFresh ? told.backOff : undefined };
  }

  /** Drops what is done or too old. Returns until when it has to be called again; `undefined`: no order is open. */
  settle(): Instant | undefined {
    const now = this.#parts.now();
    const done = this.list().filter((order) => order.until <= now || this.#isDone(order));
    for (const { preset } of done) this.#open.delete(preset);
    for (const order of this.list()) if (!order.isFresh) this.#open.set(order.preset, this.#lookAgain(order));
    if (done.length > 0) this.#parts.onChange('canWait');
    return earliest(this.list().map(({ until, tellingFrom }) => (tellingFrom > now ? tellingFrom : until)));
  }

  #live(preset: PresetUid): ReplicaId[] {
    return this.#parts
      .replicasOf(preset)
      .filter(isLive)
      .map(({ id }) => id);
  }

  /** Those that requests may be sent to: as the router, and the operator, which ends a load by them. */
  #current(preset: PresetUid): readonly EdgeReplica[] {
    const declared = this.#parts.servesNow(preset);
    return declared === undefined ? [] : this.#parts.replicasOf(preset).filter(({ serves }) => serves === declared);
  }

  /** One that a report has no room for would be forgotten unseen. */
  #add(preset: PresetUid, { waits, ...order }: Pick<EdgeOrder, 'kind' | 'replicas'> & { waits: Duration }): Ordered {
    const { newId, now, onChange } = this.#parts;
    if (this.#open.size >= MAX_ORDERS && !this.#open.has(preset)) return 'too-many';
    const kept = after(now(), KEEP);
    const tellingFrom = this.#takesBack(preset, order.kind) ? kept : now();
    const until = later(kept, after(now(), waits));
    const before = this.#live(preset);
    this.#open.set(
      preset,
      this.#lookAgain({ ...order, id: newId(), preset, before, tellingFrom, until, isFresh: false }),
    );
    onChange('waitedFor');
    return 'ordered';
  }

  /** Also one that is ordered again takes back what the first one of its kind did. */
  #takesBack(preset: PresetUid, kind: EdgeOrder['kind']): boolean {
    const standing = this.#open.get(preset);
    return standing !== undefined && (standing.kind !== kind || standing.tellingFrom > this.#parts.now());
  }

  #lookAgain(order: EdgeOrder): EdgeOrder {
    return { ...order, isFresh: !this.#parts.isBackingOff(order.preset) };
  }

  /** Also a load that has failed. */
  #isDone({ kind, preset, replicas, before, tellingFrom, isFresh }: EdgeOrder): boolean {
    const { isDeclared, isBackingOff, replicasOf, now } = this.#parts;
    if (!isDeclared(preset)) return true;
    const doTell = tellingFrom <= now();
    if (kind === 'Unload') return doTell && !replicasOf(preset).some(({ id }) => replicas.includes(id));
    const isLoaded = this.#current(preset).some(
      ({ id, state }) => state.kind === 'ready' && (doTell || !before.includes(id)),
    );
    return isLoaded || (isFresh && isBackingOff(preset));
  }
}
