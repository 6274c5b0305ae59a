import { assertNever } from '../../domain/assert-never.ts';
import { replicaId, type BinName, type PresetUid, type ReplicaId } from '../../domain/ids.ts';
import type { Pool } from '../../domain/pool.ts';
import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Replica, ReplicaState } from '../../domain/replica.ts';
import { after, since, type Instant } from '../../domain/units.ts';
import type { Action } from '../../planner/action.ts';
import type { SimulatedModel } from '../scenario.ts';
import { BinBooks } from './bin-books.ts';
import type { EventHeap } from './event-heap.ts';

/** A replica, and what only the physics know of it. */
export interface Simulated {
  readonly number: number;
  readonly preset: Preset;
  readonly model: SimulatedModel;
  readonly startedAt: Instant;
  readonly readyAt: Instant;
  replica: Replica;
  /** The requests at it. */
  readonly requests: Set<number>;
}

/** What the loads have come to. */
export interface LoadCounts {
  readonly coldStarts: number;
  readonly reloads: number;
  /** Milliseconds of replicas that held capacity. */
  readonly heldFor: number;
}

/**
 * The physics of loading, the same for every policy: a replica is starting for its model's load time, then ready, and
 * serves any number of requests at once; it is stopped only when it drains, takes its stop time to exit, and holds its
 * share of one bin from start to exit.
 */
export class Fleet {
  readonly #models: ReadonlyMap<PresetUid, SimulatedModel>;
  readonly #events: EventHeap;
  readonly #books: BinBooks;
  readonly #byId = new Map<ReplicaId, Simulated>();
  readonly #byNumber = new Map<number, Simulated>();
  readonly #ready = new Map<PresetUid, Simulated[]>();
  readonly #loaded = new Set<PresetUid>();
  #observed: readonly Replica[] | undefined;
  #coldStarts = 0;
  #reloads = 0;
  #heldFor = 0;

  constructor(pool: Pool, models: ReadonlyMap<PresetUid, SimulatedModel>, events: EventHeap) {
    this.#models = models;
    this.#events = events;
    this.#books = new BinBooks(pool);
  }

  observe(): readonly Replica[] {
    this.#observed ??= [...this.#byNumber.values()].map(({ replica }) => replica);
    return this.#observed;
  }

  /** What a replica runs. */
  presetOf({ id }: Replica): Preset {
    return this.#find(id).preset;
  }

  /** Those that serve it now. */
  readyOf(uid: PresetUid): readonly Simulated[] {
    const ready = this.#ready.get(uid);
    return ready === undefined ? [] : ready;
  }

  /** What the loads have come to by `now`. */
  counts(now: Instant): LoadCounts {
    let heldFor = this.#heldFor;
    for (const { startedAt } of this.#byNumber.values()) heldFor += since(startedAt, now);
    return { coldStarts: this.#coldStarts, reloads: this.#reloads, heldFor };
  }

  /** Throws if it is against the physics. Returns the replica that it is about. */
  apply(action: Action, now: Instant): Simulated {
    switch (action.kind) {
      case 'start':
        return this.#start(action.preset, action.bin, now);
      case 'drain':
        return this.#drain(this.#find(action.replica), action.cause, now);
      case 'cancel':
        return this.#cancel(this.#find(action.replica), now);
      case 'stop':
        return this.#stop(this.#find(action.replica), now);
      default:
        return assertNever(action);
    }
  }

  /** Its load time is over. `undefined`: it is not starting any more. */
  becomeReady(number: number): Simulated | undefined {
    const one = this.#byNumber.get(number);
    if (one?.replica.state.kind !== 'starting') return undefined;
    return this.#serve(one);
  }

  /** Its process has exited: its capacity is free. */
  becomeGone(number: number, now: Instant): void {
    const one = this.#byNumber.get(number);
    if (one === undefined) throw new Error(`replica number ${number} has exited twice`);
    this.#byNumber.delete(number);
    this.#byId.delete(one.replica.id);
    this.#books.free(one.replica);
    this.#heldFor += since(one.startedAt, now);
    this.#observed = undefined;
  }

  #start(preset: Preset, bin: BinName, now: Instant): Simulated {
    const { uid, pool, footprint, rendered, serves } = preset;
    const model = this.#models.get(uid);
    if (model === undefined) throw new Error(`the policy starts ${uid}, which is no model of the scenario`);
    const number = this.#coldStarts;
    const id = replicaId(`${uid}#${number}`);
    const state = { kind: 'starting', since: now } as const;
    const replica = { id, preset: uid, pool, bin, footprint, rendered, serves, state };
    this.#books.take(replica);
    this.#coldStarts += 1;
    if (this.#loaded.has(uid)) this.#reloads += 1;
    this.#loaded.add(uid);
    const readyAt = after(now, model.loadTime);
    const one = { number, preset, model, startedAt: now, readyAt, replica, requests: new Set<number>() };
    this.#byId.set(id, one);
    this.#byNumber.set(number, one);
    this.#observed = undefined;
    this.#events.push({ at: readyAt, kind: 'ready', subject: number });
    return one;
  }

  #drain(one: Simulated, cause: DrainCause, now: Instant): Simulated {
    const { kind } = one.replica.state;
    if (kind !== 'starting' && kind !== 'ready')
      throw new Error(`the policy drains ${one.replica.id}, which is ${kind}`);
    const ready = this.readyOf(one.replica.preset);
    this.#ready.set(
      one.replica.preset,
      ready.filter((other) => other !== one),
    );
    return this.#turn(one, { kind: 'draining', since: now, cause });
  }

  /** A load has gone on behind the closed gate. */
  #cancel(one: Simulated, now: Instant): Simulated {
    const { kind } = one.replica.state;
    if (kind !== 'draining') throw new Error(`the policy takes back the drain of ${one.replica.id}, which is ${kind}`);
    if (one.readyAt <= now) return this.#serve(one);
    return this.#turn(one, { kind: 'starting', since: one.startedAt });
  }

  #stop(one: Simulated, now: Instant): Simulated {
    const { id, state } = one.replica;
    if (state.kind !== 'draining') throw new Error(`the policy stops ${id}, which is ${state.kind} and does not drain`);
    this.#events.push({ at: now + one.model.stopTime, kind: 'gone', subject: one.number });
    return this.#turn(one, { kind: 'stopping', since: now, cause: state.cause });
  }

  #serve(one: Simulated): Simulated {
    const { preset, id } = one.replica;
    this.#ready.set(preset, [...this.readyOf(preset), one]);
    const endpoint = { origin: 'http://127.0.0.1:1', prefix: `/${id}` };
    return this.#turn(one, { kind: 'ready', since: one.readyAt, loadTime: one.model.loadTime, endpoint });
  }

  #turn(one: Simulated, state: ReplicaState): Simulated {
    one.replica = { ...one.replica, state };
    this.#observed = undefined;
    return one;
  }

  #find(id: ReplicaId): Simulated {
    const one = this.#byId.get(id);
    if (one === undefined) throw new Error(`the policy has decided about ${id}, which does not exist`);
    return one;
  }
}
