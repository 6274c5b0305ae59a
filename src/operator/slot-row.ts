import type { SlotLook } from '../backend/kubernetes/look-at-slots.ts';
import { after, seconds, type Duration, type Instant } from '../domain/units.ts';

/** Between two looks at the slots of a pod. */
export const LOOK_GAP: Duration = seconds(2);
/** A look is of now for as long as this after its answer. */
const FRESH: Duration = seconds(1);

/** A row of looks at the slots of one pod, one after the other, each of which has shown all of them idle. */
export interface IdleRow {
  /** When the answer to the first of them came. */
  readonly from: Instant;
  /** When the last of them was sent, and when its answer came. */
  readonly lastAskedAt: Instant;
  readonly lastAnsweredAt: Instant;
}

/** The row after one more look; `undefined`: that has not shown all slots idle. What cannot be seen is not idle. */
export function rowAfter(
  before: IdleRow | undefined,
  look: SlotLook,
  { askedAt, answeredAt }: { readonly askedAt: Instant; readonly answeredAt: Instant },
): IdleRow | undefined {
  if (look !== 'idle') return undefined;
  return { from: before === undefined ? answeredAt : before.from, lastAskedAt: askedAt, lastAnsweredAt: answeredAt };
}

/** Whether two looks far enough apart have shown all slots idle, the last of them just now. */
export function showsIdle(row: IdleRow | undefined, now: Instant): boolean {
  if (row === undefined || now > after(row.lastAnsweredAt, FRESH)) return false;
  return after(row.from, LOOK_GAP) <= row.lastAskedAt;
}
