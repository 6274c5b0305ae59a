import type { Backend } from '../../../../src/backend/backend.ts';
import { replicaId, type BinName, type ReplicaId } from '../../../../src/domain/ids.ts';
import type { Preset } from '../../../../src/domain/preset.ts';
import type { DrainCause, FailureCode, Replica, ReplicaState } from '../../../../src/domain/replica.ts';
import { since, type Duration, type Instant } from '../../../../src/domain/units.ts';
import type { Action } from '../../../../src/planner/action.ts';
import type { EventClock } from './event-clock.ts';

/** What becomes of one replica if nobody stops it. */
export interface Fate {
  /** From its start to the end of its load. */
  readonly load: Duration;
  readonly loads: boolean;
  /** From its readiness to its crash; `undefined`: it does not crash. */
  readonly crash: Duration | undefined;
  /** From the order to stop to the exit of its process. */
  readonly stop: Duration;
}

/** Sees each order before it is carried out. */
export interface Witness {
  onStart(preset: Preset, bin: BinName, replicas: readonly Replica[]): void;
  onDrain(replica: Replica, cause: DrainCause): void;
  onCancel(replica: Replica): void;
  onStop(replica: Replica): void;
  /** A process has ended by itself: what it was answering is broken off. */
  onDeath(replica: Replica, code: FailureCode): void;
}

export interface BackendParts {
  readonly clock: EventClock;
  /** The fate of a replica that starts now. */
  readonly fateOf: (preset: Preset) => Fate;
  /** Whether its machine really has a place for a replica that starts now: others use it, too. */
  readonly hasPlace: (preset: Preset, bin: BinName, replicas: readonly Replica[]) => boolean;
  readonly witness: Witness;
}

interface Process {
  readonly fate: Fate;
  replica: Replica;
  /** What it is, or would be if it did not drain. */
  live: ReplicaState & { readonly kind: 'starting' | 'ready' };
  /** Its next event. */
  cancelAlarm: () => void;
}

const describe = (cause: DrainCause): string =>
  'beneficiary' in cause ? `(${cause.kind}) for ${cause.beneficiary}` : `(${cause.kind})`;

/** Processes that load, fail, crash and exit in their own time. */
export class PhysicalBackend implements Backend {
  readonly #parts: BackendParts;
  readonly #processes = new Map<ReplicaId, Process>();
  readonly #listeners: (() => void)[] = [];
  #started = 0;

  constructor(parts: BackendParts) {
    this.#parts = parts;
  }

  /** All that was ordered and all that happened, in order, with its time. */
  readonly history: string[] = [];

  /** How many were ever started. */
  get started(): number {
    return this.#started;
  }

  observe(): readonly Replica[] {
    return [...this.#processes.values()].map(({ replica }) => replica);
  }

  apply(action: Action): void {
    if (action.kind === 'start') this.#start(action.preset, action.bin);
    else {
      const process = this.#processes.get(action.replica);
      if (process !== undefined) this.#order(process, action);
    }
  }

  forget(id: ReplicaId): void {
    if (this.#processes.get(id)?.replica.state.kind === 'failed') this.#processes.delete(id);
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  /** Kills one that runs. */
  crash(id: ReplicaId): void {
    const process = this.#processes.get(id);
    if (process === undefined || ['stopping', 'failed'].includes(process.replica.state.kind)) return;
    process.cancelAlarm();
    this.#fail(process, process.live.kind === 'ready' ? 'Crashed' : 'CrashedOnLoad');
  }

  #start(preset: Preset, bin: BinName): void {
    const { clock, witness, fateOf, hasPlace } = this.#parts;
    witness.onStart(preset, bin, this.observe());
    this.#started += 1;
    const id = replicaId(`${preset.uid}#${this.#started}`);
    this.#note('start', id, `in ${preset.pool}/${bin}`);
    const { uid, pool, footprint, rendered, serves } = preset;
    const state = { kind: 'starting', since: clock.now() } as const;
    const replica = { id, preset: uid, pool, bin, footprint, rendered, serves, state };
    const fate = fateOf(preset);
    const refused = !hasPlace(preset, bin, this.observe());
    const process: Process = { fate, replica, live: state, cancelAlarm: () => undefined };
    this.#processes.set(id, process);
    process.cancelAlarm = clock.wakeIn(fate.load, () => {
      if (refused || !fate.loads) this.#fail(process, refused ? 'Unschedulable' : 'CrashedOnLoad');
      else this.#becomeReady(process);
    });
  }

  #order(process: Process, action: Exclude<Action, { readonly kind: 'start' }>): void {
    const { replica } = process;
    this.#note(action.kind, replica.id, action.kind === 'drain' ? describe(action.cause) : '');
    const { witness, clock } = this.#parts;
    const now = clock.now();
    switch (action.kind) {
      case 'drain':
        witness.onDrain(replica, action.cause);
        this.#turn(process, { kind: 'draining', since: now, cause: action.cause });
        return;
      case 'cancel':
        witness.onCancel(replica);
        this.#turn(process, process.live);
        return;
      case 'stop':
        witness.onStop(replica);
        if (replica.state.kind === 'draining') this.#stop(process, replica.state.cause, now);
    }
  }

  #stop(process: Process, cause: DrainCause, now: Instant): void {
    process.cancelAlarm();
    this.#turn(process, { kind: 'stopping', since: now, cause });
    process.cancelAlarm = this.#parts.clock.wakeIn(process.fate.stop, () => {
      this.#note('gone', process.replica.id, '');
      this.#processes.delete(process.replica.id);
      this.#tell();
    });
  }

  #becomeReady(process: Process): void {
    const { clock } = this.#parts;
    const { replica, fate } = process;
    this.#note('ready', replica.id, '');
    const loadTime = since(process.live.since, clock.now());
    const endpoint = { origin: 'http://127.0.0.1:1', prefix: `/${replica.id}` };
    process.live = { kind: 'ready', since: clock.now(), loadTime, endpoint };
    if (fate.crash !== undefined) {
      process.cancelAlarm = clock.wakeIn(fate.crash, () => {
        this.#fail(process, 'Crashed');
      });
    }
    if (replica.state.kind !== 'starting') return;
    this.#turn(process, process.live);
    this.#tell();
  }

  #fail(process: Process, code: FailureCode): void {
    const { replica, live } = process;
    this.#note('failed', replica.id, `(${code})`);
    const at = this.#parts.clock.now();
    const readyFor = live.kind === 'ready' ? since(live.since, at) : undefined;
    const startedAt = live.kind === 'starting' ? live.since : undefined;
    const failure = { code, reason: 'it broke', exitCode: 1, logTail: [], at, startedAt, readyFor };
    this.#parts.witness.onDeath(replica, code);
    this.#turn(process, { kind: 'failed', failure });
    this.#tell();
  }

  #turn(process: Process, state: ReplicaState): void {
    process.replica = { ...process.replica, state };
  }

  #note(what: string, id: ReplicaId, more: string): void {
    this.history.push(`${this.#parts.clock.now()} ${what} ${id} ${more}`.trimEnd());
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
