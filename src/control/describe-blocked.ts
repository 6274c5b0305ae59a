import { assertNever } from '../domain/assert-never.ts';
import type { BlockedReason } from '../planner/action.ts';
import type { Waits } from '../routing/route.ts';

/** What a blocked preset waits for, for programs and for people. */
export const waitsFor = (reason: BlockedReason): Waits => ({ reason: reason.kind, because: describeBlocked(reason) });

function describeBlocked(reason: BlockedReason): string {
  switch (reason.kind) {
    case 'WaitingForDrain':
      return 'another model to finish its requests and stop';
    case 'WaitingForCapacity':
      return 'room: every loaded model of its pool is in use';
    case 'BackOff':
      return 'the next try after its last load failed';
    case 'PoolNotFound':
      return `its pool ${reason.pool}, which does not exist`;
    case 'PoolPaused':
      return `its pool ${reason.pool}, which is paused`;
    default:
      return assertNever(reason);
  }
}
