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
    case 'NotAccepted':
      return `its declaration to be accepted: ${reason.message}`;
    case 'AutoloadOff':
      return 'an order to load it: requests do not';
    case 'TooLarge':
      return 'a pool that it fits into: it is larger than all that this one has';
    case 'Unschedulable':
      return 'a place: the scheduler has found none';
    case 'Reserved':
      return 'room: what is free is kept for a model that has waited longer';
    case 'MinResidency':
      return 'room: the idle models of its pool have not been loaded for long enough';
    case 'ActivityUnknown':
      return 'news of the loaded models of its pool: nobody knows whether they are in use';
    case 'HigherPriority':
      return 'room: the loaded models of its pool have a higher priority';
    case 'PoolNotFound':
      return `its pool ${reason.pool}, which does not exist`;
    case 'PoolPaused':
      return `its pool ${reason.pool}, which is paused`;
    default:
      return assertNever(reason);
  }
}
