import { PODS } from '../api/cluster/resources.ts';
import { readMember } from '../api/field-path.ts';
import { after, earliest, later, seconds, since, type Duration, type Instant } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { lifeOf, type EdgeRecord } from './edge-record.ts';

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
  readonly timers: Timers;
  readonly log: Log;
}

/** An edge that says nothing is asked after, this long after its last word or the last question. */
const ASK_AFTER: Duration = seconds(20);
/** The same, where something waits for its word. */
const ASK_SOON: Duration = seconds(2);

/**
 * Finds out which edges are dead, by quorum reads of their pods. Silence proves nothing: only a pod that is gone, has another
 * uid, or has ended does.
 */
export class EdgeInquiry {
  readonly #parts: InquiryParts;
  /** When the pod of each life was last asked for. */
  readonly #askedAt = new Map<string, Instant>();
  #isStopped = false;
  #cancelWake: (() => void) | undefined;
  #asking: Promise<void> | undefined;

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** To be called when the suspects have changed. Asks at once where it is time. */
  follow(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (this.#isStopped || this.#asking !== undefined) return;
    const now = this.#parts.timers.now();
    const suspects = this.#parts.suspects();
    this.#forget(suspects);
    const due = suspects.filter((suspect) => this.#dueAt(suspect) <= now);
    if (due.length > 0) this.#asking = this.#ask(due);
    else this.#sleepUntil(earliest(suspects.map((suspect) => this.#dueAt(suspect))), now);
  }

  /** Asks nothing more. Resolves when no question is on its way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelWake?.();
    await this.#asking;
  }

  #dueAt({ record, isAwaited }: Suspect): Instant {
    const asked = this.#askedAt.get(lifeOf(record));
    const last = asked === undefined ? record.heardAt : later(record.heardAt, asked);
    return after(last, isAwaited ? ASK_SOON : ASK_AFTER);
  }

  #sleepUntil(at: Instant | undefined, now: Instant): void {
    if (at === undefined) return;
    this.#cancelWake = this.#parts.timers.wakeIn(since(now, at), () => {
      this.follow();
    });
  }

  async #ask(due: readonly Suspect[]): Promise<void> {
    await Promise.all(due.map(async ({ record }) => this.#askAfter(record)));
    this.#asking = undefined;
    this.follow();
  }

  async #askAfter(record: EdgeRecord): Promise<void> {
    const isDead = await this.#isDead(record);
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

  #forget(suspects: readonly Suspect[]): void {
    const lives = new Set(suspects.map(({ record }) => lifeOf(record)));
    for (const life of this.#askedAt.keys()) if (!lives.has(life)) this.#askedAt.delete(life);
  }
}
