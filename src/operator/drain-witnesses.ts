import type { ReplicaId } from '../domain/ids.ts';
import { milliseconds, seconds } from '../domain/units.ts';
import { delayAfter, type BackOff } from '../kube/back-off.ts';
import { pause, type Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';

/** One life of one edge. */
export interface EdgeLife {
  readonly key: string;
  /** `undefined`: it could not be told which, so that the word of any life under this key is needed. */
  readonly bootId: string | undefined;
}

export interface WitnessParts {
  /** Lists by quorum, and returns every edge that may have seen a gate open before the call. */
  readonly list: () => Promise<readonly EdgeLife[]>;
  /** Witnesses of some gates are known now. */
  readonly onFound: () => void;
  readonly timers: Timers;
  readonly log: Log;
}

const BACK_OFF: BackOff = { first: milliseconds(200), longest: seconds(5) };

interface Closing {
  readonly epoch: number;
  /** `undefined`: not listed yet. */
  witnesses: readonly EdgeLife[] | undefined;
}

/**
 * Whose word is needed for each closed gate: the edges that are listed *after* the closing was written. An edge that registers
 * later lists the pods later still, and sees the gate closed.
 */
export class DrainWitnesses {
  readonly #parts: WitnessParts;
  readonly #closings = new Map<ReplicaId, Closing>();
  readonly #stopping = new AbortController();
  #hasBegun = false;
  #listing: Promise<void> | undefined;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /** The API server has the gate closed with this epoch; its answer, or a state read from it, says so. */
  closed(replica: ReplicaId, epoch: number): void {
    if (this.#closings.get(replica)?.epoch === epoch) return;
    this.#closings.set(replica, { epoch, witnesses: undefined });
    this.#list();
  }

  /** From now on there is somebody to ask. */
  begin(): void {
    this.#hasBegun = true;
    this.#list();
  }

  /** `undefined`: not known yet. */
  find(replica: ReplicaId, epoch: number): readonly EdgeLife[] | undefined {
    const closing = this.#closings.get(replica);
    return closing?.epoch === epoch ? closing.witnesses : undefined;
  }

  /** The closings whose witnesses are known. */
  get known(): readonly {
    readonly replica: ReplicaId;
    readonly epoch: number;
    readonly witnesses: readonly EdgeLife[];
  }[] {
    return [...this.#closings].flatMap(([replica, { epoch, witnesses }]) =>
      witnesses === undefined ? [] : [{ replica, epoch, witnesses }],
    );
  }

  /** Forgets the closings that are no more. */
  keepOnly(isClosed: (replica: ReplicaId, epoch: number) => boolean): void {
    for (const [replica, { epoch }] of this.#closings) if (!isClosed(replica, epoch)) this.#closings.delete(replica);
  }

  /** Lists nothing more. Resolves when no call is on its way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#listing;
  }

  #list(): void {
    if (!this.#hasBegun || this.#listing !== undefined || this.#unknown().length === 0) return;
    this.#listing = this.#listUntilAllKnown().finally(() => {
      this.#listing = undefined;
      this.#list();
    });
  }

  async #listUntilAllKnown(): Promise<void> {
    let failures = 0;
    for (let asked = this.#unknown(); asked.length > 0; asked = this.#unknown()) {
      const error = await this.#listFor(asked);
      failures = error === undefined ? 0 : failures + 1;
      if (error !== undefined) await this.#wait(error, failures);
    }
  }

  /** Only what was closed before a list may use it: an edge may have registered between a list and a later closing. */
  #unknown(): readonly Closing[] {
    if (this.#stopping.signal.aborted) return [];
    return [...this.#closings.values()].filter(({ witnesses }) => witnesses === undefined);
  }

  async #listFor(asked: readonly Closing[]): Promise<unknown> {
    try {
      const witnesses = await this.#parts.list();
      for (const closing of asked) closing.witnesses = witnesses;
      this.#parts.onFound();
      return undefined;
    } catch (error) {
      return error ?? new Error('unknown');
    }
  }

  async #wait(error: unknown, failures: number): Promise<void> {
    const { timers, log } = this.#parts;
    const reason = error instanceof Error ? error.message : String(error);
    if (failures === 1) log.warn('the edges could not be listed; nothing is stopped until they are', { reason });
    await pause(timers, delayAfter(error, failures, BACK_OFF, timers.random), this.#stopping.signal);
  }
}
