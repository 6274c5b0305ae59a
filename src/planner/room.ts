import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { WHOLE_POOL, type Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, isLive, type DrainCause, type Replica } from '../domain/replica.ts';
import { after, type Instant } from '../domain/units.ts';
import type { Action } from './action.ts';
import type { PlanInput } from './plan-input.ts';
import { fairnessCandidates, idleCandidates, type Candidate } from './victim.ts';

/** What a room is made from: one pool's replicas, all presets, and the live replicas that this very plan drains already. */
export interface RoomView {
  readonly replicas: readonly Replica[];
  readonly presets: ReadonlyMap<PresetUid, Preset>;
  readonly retiring: ReadonlySet<ReplicaId>;
  readonly input: PlanInput;
}

/** One pool's places while one plan is made: what is free, what is being freed, who could go. */
export class Room {
  readonly actions: Action[] = [];
  readonly wakeAt: Instant[] = [];
  readonly #pool: Pool;
  readonly #now: Instant;
  readonly #leavingOf: ReadonlySet<PresetUid>;
  #free: number;
  #freeing: number;
  #idle: readonly Candidate[];
  #ready: readonly Candidate[];

  constructor(pool: Pool, view: RoomView) {
    const limit = pool.maxLoaded === 0 ? Infinity : pool.maxLoaded;
    const holding = view.replicas.filter(holdsCapacity);
    const staying = holding.filter((replica) => isLive(replica) && !view.retiring.has(replica.id));
    const leaving = holding.filter((replica) => !staying.includes(replica));
    this.#pool = pool;
    this.#now = view.input.now;
    this.#leavingOf = new Set(leaving.map((replica) => replica.preset));
    this.#free = Math.max(0, limit - holding.length);
    // Above a limit that was lowered, a place that is left is not yet a place that is freed.
    this.#freeing = Math.max(0, Math.min(leaving.length, limit - staying.length));
    const candidates = { ...view, replicas: staying, pool };
    this.#idle = idleCandidates(candidates);
    this.#ready = fairnessCandidates(candidates);
    this.#shrink(staying.length - limit);
  }

  /**
   * Finds a place for a preset wanted since `since`; the first that holds:
   *
   * 1. its own last replica is not gone yet: wait for it (two at once would exceed its share);
   * 2. a place is free: start;
   * 3. a place is being freed that no older wish waits for: wait for it, evict nobody else;
   * 4. an idle replica may go: drain the one idle longest;
   * 5. it has waited for `fairAfter`: drain the one that has served longest, busy or not;
   * 6. wait.
   */
  claim(preset: Preset, since: Instant): 'started' | 'WaitingForDrain' | 'WaitingForCapacity' {
    if (this.#leavingOf.has(preset.uid)) return this.#awaitDrain();
    if (this.#free > 0) return this.#start(preset);
    if (this.#freeing > 0) return this.#awaitDrain();
    if (this.#take(this.#idle, { kind: 'evicted', beneficiary: preset.uid })) return 'WaitingForDrain';
    return this.#claimFairly(preset, since) ? 'WaitingForDrain' : 'WaitingForCapacity';
  }

  #start(preset: Preset): 'started' {
    this.#free -= 1;
    this.actions.push({ kind: 'start', preset, bin: WHOLE_POOL });
    return 'started';
  }

  #awaitDrain(): 'WaitingForDrain' {
    this.#freeing = Math.max(0, this.#freeing - 1);
    return 'WaitingForDrain';
  }

  #claimFairly(preset: Preset, since: Instant): boolean {
    const { fairAfter } = this.#pool;
    const from = after(since, fairAfter);
    if (fairAfter > 0 && from <= this.#now)
      return this.#take(this.#ready, { kind: 'fairness', beneficiary: preset.uid });
    if (fairAfter > 0) this.wakeAt.push(from);
    return false;
  }

  /** Drains the first candidate that may go now, or notes when the others may. */
  #take(candidates: readonly Candidate[], cause: DrainCause): boolean {
    const victim = candidates.find((candidate) => candidate.from <= this.#now);
    if (victim === undefined) this.wakeAt.push(...candidates.map((candidate) => candidate.from));
    else this.#drain(victim.replica, cause);
    return victim !== undefined;
  }

  /** The limit was lowered below what is loaded: idle ones go first, and whoever is busy finishes its requests. */
  #shrink(excess: number): void {
    for (let left = excess; left > 0; left -= 1) {
      const victim = [...this.#idle, ...this.#ready].at(0);
      if (victim !== undefined) this.#drain(victim.replica, { kind: 'capacity' });
    }
  }

  #drain(replica: Replica, cause: DrainCause): void {
    this.actions.push({ kind: 'drain', replica: replica.id, cause });
    this.#idle = this.#idle.filter((candidate) => candidate.replica !== replica);
    this.#ready = this.#ready.filter((candidate) => candidate.replica !== replica);
  }
}
