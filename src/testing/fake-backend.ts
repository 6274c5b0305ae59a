import type { Backend } from '../backend/backend.ts';
import { replicaId, type BinName, type ReplicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, type Replica } from '../domain/replica.ts';
import { milliseconds, type Instant } from '../domain/units.ts';
import type { Action } from '../planner/action.ts';

/** A replica of the fake, and what the test may let happen to it. */
interface FakeReplica {
  readonly preset: Preset;
  readonly startedAt: Instant;
  replica: Replica;
  /** What it was when its drain began. */
  before: Replica['state'];
}

/** Stands in for child processes: every change of state happens when the test says so. */
export class FakeBackend implements Backend {
  readonly #now: () => Instant;
  readonly #replicas = new Map<ReplicaId, FakeReplica>();
  readonly #listeners: (() => void)[] = [];
  /** All that was ordered and all that happened, in order: `start a`, `ready a`, `drain a`, `stop a`, `gone a`. */
  readonly history: string[] = [];
  /** Presets in the order of their starts. */
  readonly started: Preset[] = [];
  /** The most replicas that held capacity at one moment. */
  peak = 0;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  observe(): readonly Replica[] {
    return [...this.#replicas.values()].map(({ replica }) => replica);
  }

  apply(action: Action): void {
    if (action.kind === 'start') this.#start(action.preset, action.bin);
    else this.#turn(action);
  }

  forget(id: ReplicaId): void {
    if (this.#replicas.get(id)?.replica.state.kind === 'failed') this.#replicas.delete(id);
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  /** A starting replica becomes ready; anything else stays as it is. */
  makeReady(id: ReplicaId): void {
    const endpoint = { origin: 'http://127.0.0.1:1', prefix: `/${id}` };
    this.#happen(id, 'starting', 'ready', (since) => ({
      kind: 'ready',
      since,
      loadTime: milliseconds(0),
      endpoint,
    }));
  }

  /** A replica ends without an order. */
  makeFail(id: ReplicaId, readyFor?: number): void {
    const kind = this.#replicas.get(id)?.replica.state.kind;
    if (kind !== 'starting' && kind !== 'ready' && kind !== 'draining') return;
    this.#happen(id, kind, 'failed', (at, startedAt) => ({
      kind: 'failed',
      failure: {
        code: readyFor === undefined ? 'CrashedOnLoad' : 'Crashed',
        reason: 'it broke',
        exitCode: 1,
        logTail: ['last words'],
        at,
        startedAt,
        readyFor: readyFor === undefined ? undefined : milliseconds(readyFor),
      },
    }));
  }

  /** The scheduler finds no place for a starting replica. */
  makeUnschedulable(id: ReplicaId): void {
    this.#happen(id, 'starting', 'failed', (at, startedAt) => ({
      kind: 'failed',
      failure: {
        code: 'Unschedulable',
        reason: 'no node takes the pod: Insufficient gpu',
        exitCode: undefined,
        logTail: [],
        at,
        startedAt,
        readyFor: undefined,
      },
    }));
  }

  /** A stopping replica's process exits. */
  makeGone(id: ReplicaId): void {
    const fake = this.#replicas.get(id);
    if (fake?.replica.state.kind !== 'stopping') return;
    this.history.push(`gone ${fake.preset.model}`);
    this.#replicas.delete(id);
    this.#tell();
  }

  #start(preset: Preset, bin: BinName): void {
    this.started.push(preset);
    this.history.push(`start ${preset.model}`);
    const id = replicaId(`${preset.model}#${this.started.length}`);
    const { uid, pool, footprint, rendered, serves } = preset;
    const startedAt = this.#now();
    const state = { kind: 'starting', since: startedAt } as const;
    const replica = { id, preset: uid, pool, bin, footprint, rendered, serves, state };
    this.#replicas.set(id, { preset, startedAt, replica, before: state });
    this.peak = Math.max(this.peak, this.observe().filter(holdsCapacity).length);
  }

  #turn(action: Exclude<Action, { kind: 'start' }>): void {
    const fake = this.#replicas.get(action.replica);
    if (fake === undefined) return;
    this.history.push(`${action.kind} ${fake.preset.model}`);
    const since = this.#now();
    const { state } = fake.replica;
    if (action.kind === 'cancel') {
      if (state.kind === 'draining') fake.replica = { ...fake.replica, state: fake.before };
    } else if (action.kind === 'drain') {
      fake.before = state;
      fake.replica = { ...fake.replica, state: { kind: 'draining', since, cause: action.cause } };
    } else if (state.kind === 'draining') {
      fake.replica = { ...fake.replica, state: { kind: 'stopping', since, cause: state.cause } };
    }
  }

  #happen(
    id: ReplicaId,
    from: Replica['state']['kind'],
    word: string,
    to: (at: Instant, startedAt: Instant) => Replica['state'],
  ): void {
    const fake = this.#replicas.get(id);
    if (fake?.replica.state.kind !== from) return;
    this.history.push(`${word} ${fake.preset.model}`);
    fake.replica = { ...fake.replica, state: to(this.#now(), fake.startedAt) };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
