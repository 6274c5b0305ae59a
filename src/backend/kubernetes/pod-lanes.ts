import type { Setback } from '../../kube/back-off.ts';
import { isTemporary } from '../../kube/kube-api.ts';
import type { ObjectRef } from '../../kube/kube-object.ts';
import type { WriteLanes } from '../../kube/write-lanes.ts';
import type { Log } from '../../platform/log.ts';
import { keyOf } from './pod-book.ts';
import { isDoubtful, type PodWrites, type WriteOutcome } from './pod-writes.ts';

/**
 * How a step went. No pod is made, as far as the API server says, `ownerless`: since its owner is not there, `overQuota`: since a
 * ResourceQuota has no room for it.
 */
export type StepOutcome = WriteOutcome | 'ownerless' | 'overQuota';

/** Something that is to be done under a pod's name. */
export type Step = () => Promise<StepOutcome>;

export interface PodLanesParts {
  readonly lanes: WriteLanes;
  readonly writes: PodWrites;
  /** What to do next under a name; `undefined`: nothing now. */
  readonly findStep: (ref: ObjectRef) => Step | undefined;
  readonly log: Log;
  readonly onChange: () => void;
}

/** One lane for each pod's name: it looks at what is to be done under that name, does it, and looks again. */
export class PodLanes {
  readonly #parts: PodLanesParts;
  /** By the key of their name, lanes with an attempt that has not begun, and so will see all that is ordered now. */
  readonly #queued = new Set<string>();
  /**
   * Names under which a write may or may not have been carried out, or has found another state than was thought: they are read before
   * anything else. That is after the pause, so that others have the least time to write between that and our next try.
   */
  readonly #doubtful = new Set<string>();

  constructor(parts: PodLanesParts) {
    this.#parts = parts;
  }

  push(ref: ObjectRef): void {
    const { lanes } = this.#parts;
    const key = keyOf(ref);
    if (this.#queued.has(key)) {
      lanes.wake(key);
      return;
    }
    this.#queued.add(key);
    void lanes.run(key, async () => this.#level(ref));
  }

  /** Begins where there is something to do and nothing is under way. */
  pushIdle(ref: ObjectRef): void {
    const { lanes, findStep } = this.#parts;
    if (!lanes.isBusy(keyOf(ref)) && findStep(ref) !== undefined) this.push(ref);
  }

  async #level(ref: ObjectRef): Promise<'done' | Setback> {
    const { findStep, onChange, log } = this.#parts;
    const key = keyOf(ref);
    // All that is ordered in this tick counts.
    await Promise.resolve();
    this.#queued.delete(key);
    try {
      if (this.#doubtful.has(key)) await this.#resolveDoubt(ref);
      for (let step = findStep(ref); step !== undefined; step = findStep(ref)) {
        const outcome = await step();
        onChange();
        if (outcome !== 'written') return this.#setBack(key, outcome);
      }
      return 'done';
    } catch (error) {
      if (isDoubtful(error)) this.#doubtful.add(key);
      if (isTemporary(error)) throw error;
      log.error('a pod could not be written', { pod: key, error });
      return 'later';
    }
  }

  #setBack(key: string, outcome: Exclude<StepOutcome, 'written'>): Setback {
    if (outcome !== 'changed') return 'later';
    this.#doubtful.add(key);
    return 'conflict';
  }

  async #resolveDoubt(ref: ObjectRef): Promise<void> {
    await this.#parts.writes.readBack(ref);
    this.#doubtful.delete(keyOf(ref));
    this.#parts.onChange();
  }
}
