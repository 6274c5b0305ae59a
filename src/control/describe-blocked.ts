import { assertNever } from '../domain/assert-never.ts';
import type { BlockedReason } from '../planner/action.ts';

/** What a preset waits for, as the end of the sentence "it waits for …", for clients and logs. */
export function describeBlocked(reason: BlockedReason): string {
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
