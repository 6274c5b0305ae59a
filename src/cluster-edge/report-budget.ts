import type { LedgerChange } from '../activity/ledger.ts';
import { after, milliseconds, since, type Duration, type Instant } from '../domain/units.ts';

/** `waitedFor`: the operator acts on it, for somebody who waits. `canWait`: it reads it when it plans for another reason. */
export type Urgency = 'waitedFor' | 'canWait';

/**
 * Writes that may follow one another at once. What can wait leaves half of them to what somebody waits for; what is waited for
 * takes along all there is to tell.
 */
const MOST: Readonly<Record<Urgency, number>> = { canWait: 4, waitedFor: 8 };
const LONGEST_MEMORY = Math.max(...Object.values(MOST));
/** From the end of one write to the beginning of the last of as many as may follow it, at least. */
const WINDOW = 1000;

/** Writes of a report, as far as they bear on when the next one may begin. */
export interface WriteHistory {
  /** When the last ones ended, whether they succeeded or not, the latest last. */
  readonly ended: readonly Instant[];
  /** How long the next ones have to heed them: a quarter of it is chance, so that many edges do not write in step. */
  readonly window: Duration;
}

export const NOTHING_WRITTEN: WriteHistory = { ended: [], window: milliseconds(WINDOW) };

/** The history after a write that has ended now. `chance`: from 0 up to but not including 1. */
export const withWrite = ({ ended }: WriteHistory, now: Instant, chance: number): WriteHistory => ({
  ended: [...ended, now].slice(-LONGEST_MEMORY),
  window: milliseconds(WINDOW * (1 + chance / 4)),
});

/** How long news has to wait before it may be written. */
export function delayOf(urgency: Urgency, { ended, window }: WriteHistory, now: Instant): Duration {
  const first = ended.at(-MOST[urgency]);
  return first === undefined ? milliseconds(0) : since(now, after(first, window));
}

/**
 * By what the operator that leads does with the news:
 *
 * | change                                                        | the operator        | urgency   |
 * |---------------------------------------------------------------|---------------------|-----------|
 * | demand: the first waiter of a model came, or the last is gone | plans at once       | waitedFor |
 * | pressure                                                      | plans at once       | waitedFor |
 * | idle, of a replica that drains, or where others wait for room | plans at once       | waitedFor |
 * | idle, of any other                                            | heeds it in time    | canWait   |
 * | busy                                                          | heeds it in time    | canWait   |
 */
export function urgencyOf(change: LedgerChange, isEndAwaited: () => boolean): Urgency {
  if (change === 'busy') return 'canWait';
  return change === 'idle' && !isEndAwaited() ? 'canWait' : 'waitedFor';
}
