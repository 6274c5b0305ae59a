import { LEASES, PODS } from '../api/cluster/resources.ts';
import { readMember } from '../api/field-path.ts';
import { Alarm } from '../domain/alarm.ts';
import { after, earliest, later, seconds, type Duration, type Instant } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { isSilent, pulseAfter, READ_LEASE_EVERY, type Pulse } from './edge-pulse.ts';
import { lifeOf, type EdgeRecord } from './edge-record.ts';
import { leaseVersion } from './lease-object.ts';

/** An edge, and whether something waits for its word. */
export interface Suspect {
  readonly record: EdgeRecord;
  readonly isAwaited: boolean;
}

export interface InquiryParts {
  readonly api: KubeApi;
  readonly suspects: () => readonly Suspect[];
  /** Its pod is gone or has ended: it has nothing in flight, and never will. */
  readonly onDead: (record: EdgeRecord) => void;
  /** Who is silent may be told anew. */
  readonly onAsked: () => void;
  readonly timers: Timers;
  readonly log: Log;
}

/** An edge that says nothing is asked after, this long after its last word or the last question. */
export const ASK_AFTER: Duration = seconds(20);
/** The same, where something waits for its word. */
const ASK_SOON = READ_LEASE_EVERY;

/**
 * Finds out which edges are dead, by quorum reads of their pods. Silence proves nothing: only a pod that is gone, has another
 * uid, or has ended does. Which edges are silent is found out by quorum reads of their Leases, while something waits for them.
 */
export class EdgeInquiry {
  readonly #parts: InquiryParts;
  /** When the pod of each life was last asked for. */
  readonly #askedAt = new Map<string, Instant>();
  readonly #pulses = new Map<string, Pulse>();
  #isStopped = false;
  readonly #alarm: Alarm;
  #asking: Promise<void> | undefined;

  constructor(parts: InquiryParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.timers.wakeIn, () => {
      this.follow();
    });
  }

  /** To be called when the suspects have changed. Asks at once where it is time. */
  follow(): void {
    const now = this.#parts.timers.now();
    this.#alarm.setTo(undefined, now);
    if (this.#isStopped || this.#asking !== undefined) return;
    const suspects = this.#parts.suspects();
    this.#forget(suspects);
    const due = suspects.filter((suspect) => this.#dueAt(suspect) <= now);
    if (due.length > 0) this.#asking = this.#ask(due);
    else this.#alarm.setTo(earliest(suspects.map((suspect) => this.#dueAt(suspect))), now);
  }

  /** Of an edge whose report cannot be read nothing is known. */
  isSilent(record: EdgeRecord): boolean {
    if (record.bootId === undefined) return false;
    return isSilent(this.#pulses.get(lifeOf(record)), record.heardAt, this.#parts.timers.now());
  }

  /** Asks nothing more. Resolves when no question is on its way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#alarm.stop();
    await this.#asking;
  }

  #dueAt({ record, isAwaited }: Suspect): Instant {
    const asked = this.#askedAt.get(lifeOf(record));
    const last = asked === undefined ? record.heardAt : later(record.heardAt, asked);
    return after(last, isAwaited ? ASK_SOON : ASK_AFTER);
  }

  async #ask(due: readonly Suspect[]): Promise<void> {
    await Promise.all(due.map(async (suspect) => this.#askAfter(suspect)));
    this.#asking = undefined;
    this.follow();
    this.#parts.onAsked();
  }

  async #askAfter({ record, isAwaited }: Suspect): Promise<void> {
    const [isDead] = await Promise.all([this.#isDead(record), isAwaited ? this.#listen(record) : undefined]);
    this.#askedAt.set(lifeOf(record), this.#parts.timers.now());
    if (isDead) this.#parts.onDead(record);
  }

  async #isDead({ namespace, name, podUid }: EdgeRecord): Promise<boolean> {
    try {
      const pod = await this.#parts.api.get(PODS, { namespace, name });
      if (pod?.metadata.uid !== podUid) return true;
      const phase = readMember(pod['status'], 'phase');
      return phase === 'Succeeded' || phase === 'Failed';
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.log.warn('the pod of an edge could not be read', { edge: name, reason });
      return false;
    }
  }

  /** Its Lease has the name of its pod. */
  async #listen(record: EdgeRecord): Promise<void> {
    const { api, timers, log } = this.#parts;
    const { namespace, name } = record;
    const [life, askedAt] = [lifeOf(record), timers.now()];
    try {
      const lease = await api.get(LEASES, { namespace, name });
      const version = lease === undefined ? undefined : leaseVersion(lease);
      const sight = { version, askedAt, answeredAt: timers.now() };
      this.#pulses.set(life, pulseAfter(this.#pulses.get(life), sight));
    } catch (error) {
      this.#pulses.delete(life);
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the Lease of an edge could not be read', { edge: name, reason });
    }
  }

  #forget(suspects: readonly Suspect[]): void {
    const lives = new Set(suspects.map(({ record }) => lifeOf(record)));
    for (const life of this.#askedAt.keys()) if (!lives.has(life)) this.#askedAt.delete(life);
    for (const life of this.#pulses.keys()) if (!lives.has(life)) this.#pulses.delete(life);
  }
}
