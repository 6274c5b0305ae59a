import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Backend } from '../backend/backend.ts';
import { WHOLE_POOL } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Replica, ReplicaState } from '../domain/replica.ts';
import { Watch } from './watch.ts';

/** How the llama-server of a preset behaves. `held`: it loads until `release`. `exit`: it ends with code 3 while it loads. */
export type Behaviour = 'ready' | 'held' | 'exit';

export interface PresetOptions {
  readonly behaviour?: Behaviour;
  /** Presets of the same name and another life have another uid. */
  readonly life?: number;
  /** Presets of another variant are rendered differently. */
  readonly variant?: number;
}

/** A backend with a world in which llama-servers run, and what the tests need to do to that world. */
export interface BackendUnderTest {
  readonly backend: Backend;
  preset(name: string, options?: PresetOptions): Preset;
  /** The models of the llama-servers that run in truth, whatever the backend says. */
  running(): readonly string[];
  /** Resolves as soon as the models of the llama-servers that run in truth are these. */
  untilRunning(...models: readonly string[]): Promise<void>;
  /** Lets the held llama-servers of a replica's preset become ready, also those that are still to come. */
  release(replica: Replica): void;
  /** Ends a llama-server from outside. */
  crash(replica: Replica): void;
  /** llama-servers take as long to end as it takes to call what is returned. */
  holdEnds(): () => void;
  /**
   * The backend hears nothing of the world any more, but its orders reach it. What is returned ends that: then it hears all,
   * `late`, or only finds out how things are, `lost`. Missing: it always hears at once.
   */
  deafen?(how: 'late' | 'lost'): Promise<() => void>;
}

export const IDLE: DrainCause = { kind: 'idle' };

/** A backend under test with the words that the tests are written in. */
export class Stage {
  readonly world: BackendUnderTest;
  readonly backend: Backend;
  readonly #watch = new Watch(() => `there is: ${JSON.stringify(this.backend.observe())}`);

  constructor(world: BackendUnderTest) {
    this.world = world;
    this.backend = world.backend;
    this.backend.onChange(() => {
      this.#watch.look();
    });
  }

  kinds(): readonly ReplicaState['kind'][] {
    return this.backend.observe().map(({ state }) => state.kind);
  }

  /** The only replica, or the only one of a preset. */
  only(preset?: Preset): Replica {
    const replicas = this.backend.observe().filter((replica) => preset === undefined || replica.preset === preset.uid);
    const [replica] = replicas;
    assert.ok(replica !== undefined && replicas.length === 1, `${replicas.length} replicas`);
    return replica;
  }

  async until(isTrue: () => boolean): Promise<void> {
    await this.#watch.until(isTrue);
  }

  async untilState(kind: ReplicaState['kind'], preset?: Preset): Promise<Replica> {
    return this.#watch.find(() => this.#all(preset).find(({ state }) => state.kind === kind));
  }

  async untilGone(preset?: Preset): Promise<void> {
    await this.until(() => this.#all(preset).length === 0);
  }

  start(preset: Preset, bin = WHOLE_POOL): void {
    this.backend.apply({ kind: 'start', preset, bin });
  }

  /** One more replica of a preset that has some, once it is ready. */
  async startAnother(preset: Preset): Promise<Replica> {
    const known = new Set(this.backend.observe().map(({ id }) => id));
    const isNew = ({ id, state }: Replica): boolean => state.kind === 'ready' && !known.has(id);
    this.start(preset);
    return this.#watch.find(() => this.#all(preset).find(isNew));
  }

  /** `undefined`: there is no such replica any more. */
  kindOf({ id }: Replica): ReplicaState['kind'] | undefined {
    return this.backend.observe().find((replica) => replica.id === id)?.state.kind;
  }

  async startReady(preset: Preset): Promise<Replica> {
    this.start(preset);
    return this.untilState('ready', preset);
  }

  drain(replica: Replica, cause = IDLE): void {
    this.backend.apply({ kind: 'drain', replica: replica.id, cause });
  }

  cancel(replica: Replica): void {
    this.backend.apply({ kind: 'cancel', replica: replica.id });
  }

  stop(replica: Replica): void {
    this.backend.apply({ kind: 'stop', replica: replica.id });
  }

  #all(preset: Preset | undefined): readonly Replica[] {
    return this.backend.observe().filter((replica) => preset === undefined || replica.preset === preset.uid);
  }
}

/** A stage of the test's own, which ends with the test. */
export type Make = (t: TestContext) => Promise<Stage>;
