import { LEASES } from '../api/cluster/resources.ts';
import { Alarm } from '../domain/alarm.ts';
import { hasChanged, isConflict, type KubeApi } from '../kube/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { pause, type Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import {
  atTime,
  holderOf,
  LEASE_STANDS,
  looked,
  mayWrite,
  nextStep,
  NOT_LOOKED,
  pauseAfter,
  surprised,
  written,
  type Election,
} from './election.ts';
import { leaseSpec, readLease, type LeaseClaim } from './lease-object.ts';

export interface LeaderLeaseParts {
  /** Its calls must end within a few seconds: nothing else is done meanwhile. */
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  /** Of this process alone: one that is started again in the same pod is another candidate. */
  readonly identity: string;
  readonly timers: Timers;
  /** Milliseconds since 1970: for people who read the lease. */
  readonly wallNow: () => number;
  readonly log: Log;
  /** The lease could be read or written, after it could not. */
  readonly onReached: () => void;
  /** From now on this process leads; called once at most. */
  readonly onLeading: () => void;
  /** This process leads no more, and never will again; called once at most. */
  readonly onLost: (reason: string) => void;
}

/** Why nothing may be written by a process that does not lead; for `TransportOptions.whyNotWrite`. */
const NOT_LEADING = 'this process does not lead';

/**
 * Stands for election by a Lease, and holds it. What it knows about leading is exact: `whyNotWrite` is to be asked at the
 * moment at which a write is sent, and what is sent by then must be reset after WRITE_TIMEOUT.
 */
export class LeaderLease {
  readonly #parts: LeaderLeaseParts;
  readonly #stopping = new AbortController();
  #election: Election = NOT_LOOKED;
  /** The lease as it was read or written last. */
  #object: KubeObject | undefined;
  #claims = 0;
  #running: Promise<void> | undefined;
  readonly #deadline: Alarm;
  #hasFailed = false;
  #isGivingBack = false;

  constructor(parts: LeaderLeaseParts) {
    this.#parts = parts;
    const { wakeIn, now } = parts.timers;
    this.#deadline = new Alarm(wakeIn, () => {
      this.#become(atTime(this.#election, now()));
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Whether writes may be sent now. */
  get isLeading(): boolean {
    return !this.#isGivingBack && this.#isHeld;
  }

  /** Who leads, as far as is known: this process or another one. */
  get leader(): string | undefined {
    return holderOf(this.#election);
  }

  /** Why a write must not be sent at this moment; `undefined`: it may. */
  whyNotWrite(): string | undefined {
    return this.isLeading ? undefined : NOT_LEADING;
  }

  /** The same for a write to the lease itself: candidates write it, too, and who has lost it does not. */
  whyNotClaim(): string | undefined {
    return this.#election.kind === 'following' || this.#isHeld ? undefined : NOT_LEADING;
  }

  /** Gives the lease back if it is held, so that the next one leads at once. All other writes must have ended before. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    // Before the release is sent: nothing may be written by us once another one can lead.
    this.#isGivingBack = true;
    if (this.#isHeld) await this.#giveBack();
    this.#deadline.stop();
    this.#election = { kind: 'lost', reason: 'it was given back' };
  }

  get #isHeld(): boolean {
    return mayWrite(this.#election, this.#parts.timers.now());
  }

  async #run(): Promise<void> {
    const { timers } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#election.kind !== 'lost') {
      const begun = timers.now();
      const isDone = await this.#step();
      // A deadline may have passed while nothing could ring.
      this.#become(atTime(this.#election, timers.now()));
      if (isDone) await pause(timers, pauseAfter(this.#election, begun, timers.now()), signal);
    }
  }

  /** Returns whether there is nothing more to do for now. */
  async #step(): Promise<boolean> {
    const { identity, timers } = this.#parts;
    try {
      switch (nextStep(this.#election, identity, timers.now())) {
        case 'look':
          await this.#look();
          // What was found may be free to be taken.
          return nextStep(this.#election, identity, timers.now()) === 'look';
        case 'offer':
          await this.#claim({ holder: '', standsForSeconds: LEASE_STANDS / 1000 });
          return true;
        case 'take':
          await this.#claim({ holder: identity, standsForSeconds: LEASE_STANDS / 1000 });
          return true;
        case 'end':
          return true;
      }
    } catch (error) {
      return this.#note(error);
    }
  }

  async #look(): Promise<void> {
    const { api, identity, timers } = this.#parts;
    this.#object = await api.get(LEASES, this.#ref);
    const record = this.#object === undefined ? undefined : readLease(this.#object);
    this.#noteSuccess();
    this.#become(looked(this.#election, identity, record, timers.now()));
  }

  async #claim(claim: Pick<LeaseClaim, 'holder' | 'standsForSeconds'>): Promise<void> {
    const { identity, timers } = this.#parts;
    const sentAt = timers.now();
    this.#object = await this.#write(claim);
    this.#noteSuccess();
    const answered = { record: readLease(this.#object), sentAt };
    this.#become(written(this.#election, identity, answered, timers.now()));
  }

  async #write(claim: Pick<LeaseClaim, 'holder' | 'standsForSeconds'>): Promise<KubeObject> {
    const { api, wallNow } = this.#parts;
    const before = this.#object;
    const spec = leaseSpec({ ...claim, wall: wallNow(), count: this.#claims }, before);
    this.#claims += 1;
    if (before !== undefined) return api.replace(LEASES, { ...before, spec });
    return api.create(LEASES, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...this.#ref },
      spec,
    });
  }

  async #giveBack(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.#write({ holder: '', standsForSeconds: undefined });
      log.info('the lease is given back');
    } catch (error) {
      log.warn('the lease could not be given back: the next one waits until it has run out', { reason: textOf(error) });
    }
  }

  #noteSuccess(): void {
    const hadFailed = this.#hasFailed;
    this.#hasFailed = false;
    if (hadFailed) this.#parts.onReached();
  }

  /** Returns whether to wait before the next try. */
  #note(error: unknown): boolean {
    if (isElsewhere(error, this.#object !== undefined)) {
      this.#become(surprised(this.#election));
      return false;
    }
    if (!this.#hasFailed)
      this.#parts.log.warn('the lease could not be read or written; trying again', { reason: textOf(error) });
    this.#hasFailed = true;
    return true;
  }

  #become(next: Election): void {
    const before = this.#election;
    this.#election = next;
    if (next.kind === 'leading') this.#deadline.setTo(next.until, this.#parts.timers.now());
    const begins = before.kind === 'following' && next.kind === 'leading';
    if (begins && !this.#stopping.signal.aborted) this.#parts.onLeading();
    if (before.kind === 'leading' && next.kind === 'lost') this.#parts.onLost(next.reason);
  }

  get #ref(): { readonly namespace: string; readonly name: string } {
    const { namespace, name } = this.#parts;
    return { namespace, name };
  }
}

/** It has changed, or is gone, or one exists where none was seen. */
const isElsewhere = (error: unknown, wasSeen: boolean): boolean => isConflict(error) || (wasSeen && hasChanged(error));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
