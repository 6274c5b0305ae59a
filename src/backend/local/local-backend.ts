import { assertNever } from '../../domain/assert-never.ts';
import { replicaId, type BinName, type ReplicaId } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import type { DrainCause, Endpoint, Failure, Replica, ReplicaState } from '../../domain/replica.ts';
import { since, type Instant } from '../../domain/units.ts';
import type { Log } from '../../platform/log.ts';
import type { Action } from '../../planner/action.ts';
import type { Backend } from '../backend.ts';
import { runReplica, type ReplicaEnd } from './run-replica.ts';

/** What the backend runs, and where it reports. */
export interface LocalBackendParts {
  /** Path of llama-server. */
  readonly program: string;
  /** What children inherit. */
  readonly baseEnv: NodeJS.ProcessEnv;
  readonly now: () => Instant;
  readonly log: Log;
}

/** One child: what is observed of it, and what ends it. */
interface Child {
  readonly id: ReplicaId;
  readonly preset: Preset;
  readonly bin: BinName;
  readonly stop: AbortController;
  readonly startedAt: Instant;
  state: ReplicaState;
  /** Of its process, once it has had one. */
  pid: number | undefined;
  kill: (() => void) | undefined;
  /** Whether or not it drains. */
  live: ReplicaState & { readonly kind: 'starting' | 'ready' };
}

/** Runs replicas as child processes of this one. */
export class LocalBackend implements Backend {
  readonly #parts: LocalBackendParts;
  readonly #children = new Map<ReplicaId, Child>();
  readonly #listeners: (() => void)[] = [];
  #started = 0;

  constructor(parts: LocalBackendParts) {
    this.#parts = parts;
  }

  observe(): readonly Replica[] {
    return [...this.#children.values()].map(observed);
  }

  apply(action: Action): void {
    switch (action.kind) {
      case 'start':
        this.#start(action.preset, action.bin);
        return;
      case 'drain':
        this.#drain(action.replica, action.cause);
        return;
      case 'cancel':
        this.#cancel(action.replica);
        return;
      case 'stop':
        this.#stop(action.replica);
        return;
      default:
        assertNever(action);
    }
  }

  forget(id: ReplicaId): void {
    if (this.#children.get(id)?.state.kind === 'failed') this.#children.delete(id);
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  /** Ends every child at once, without mercy: for the moment in which Corral itself dies. */
  killAll(): void {
    for (const { kill } of this.#children.values()) kill?.();
  }

  #start(preset: Preset, bin: BinName): void {
    this.#started += 1;
    const startedAt = this.#parts.now();
    const starting = { kind: 'starting', since: startedAt } as const;
    const child: Child = {
      id: replicaId(`${preset.model}#${this.#started}`),
      preset,
      bin,
      stop: new AbortController(),
      startedAt,
      state: starting,
      pid: undefined,
      kill: undefined,
      live: starting,
    };
    this.#children.set(child.id, child);
    void this.#run(child);
  }

  #drain(id: ReplicaId, cause: DrainCause): void {
    const child = this.#children.get(id);
    if (child === undefined || (child.state.kind !== 'starting' && child.state.kind !== 'ready')) return;
    child.state = { kind: 'draining', since: this.#parts.now(), cause };
    this.#parts.log.info('replica draining', { replica: id, cause: cause.kind });
  }

  #cancel(id: ReplicaId): void {
    const child = this.#children.get(id);
    if (child?.state.kind !== 'draining') return;
    child.state = child.live;
    this.#parts.log.info('replica drains no more', { replica: id });
  }

  #stop(id: ReplicaId): void {
    const child = this.#children.get(id);
    if (child?.state.kind !== 'draining') return;
    child.state = { kind: 'stopping', since: this.#parts.now(), cause: child.state.cause };
    child.stop.abort();
  }

  async #run(child: Child): Promise<void> {
    const { log } = this.#parts;
    const order = {
      ...this.#parts,
      preset: child.preset,
      onSpawn: (pid: number, kill: () => void) => {
        child.pid = pid;
        child.kill = kill;
        log.info('replica started', { replica: child.id, pid });
      },
      onReady: (endpoint: Endpoint) => {
        this.#becomeReady(child, endpoint);
      },
    };
    this.#end(child, await runReplica(order, child.stop.signal));
  }

  #becomeReady(child: Child, endpoint: Endpoint): void {
    const readyAt = this.#parts.now();
    const loadTime = since(child.startedAt, readyAt);
    child.live = { kind: 'ready', since: readyAt, loadTime, endpoint };
    if (child.state.kind !== 'starting') return;
    child.state = child.live;
    this.#parts.log.info('replica ready', { replica: child.id, pid: child.pid, loadMs: Math.round(loadTime) });
    this.#tell();
  }

  #end(child: Child, end: ReplicaEnd): void {
    const at = this.#parts.now();
    this.#parts.log.info('replica gone', { replica: child.id, pid: child.pid, how: end.kind });
    if (end.kind === 'stopped') this.#children.delete(child.id);
    else child.state = { kind: 'failed', failure: failureOf(child, end, at) };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

type Failed = ReplicaEnd & { readonly kind: 'failed' };

function failureOf({ startedAt, live }: Child, { code, reason, exitCode, logTail }: Failed, at: Instant): Failure {
  const readyFor = live.kind === 'ready' ? since(live.since, at) : undefined;
  return { code, reason, exitCode, logTail, at, startedAt, readyFor };
}

const observed = ({ id, preset, bin, state }: Child): Replica => ({
  id,
  preset: preset.uid,
  pool: preset.pool,
  bin,
  footprint: preset.footprint,
  rendered: preset.rendered,
  serves: preset.serves,
  state,
});
