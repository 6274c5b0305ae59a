/** What bars a wanted preset from its pool, however much room there is. */
export const BARS = ['PoolNotFound', 'PoolPaused', 'NotAccepted', 'AutoloadOff', 'BackOff', 'TooLarge'] as const;

/** Why there is no room for a wanted preset now. */
const LACKS_OF_ROOM = [
  'WaitingForDrain',
  'Unschedulable',
  'Reserved',
  'MinResidency',
  'ActivityUnknown',
  'HigherPriority',
  'WaitingForCapacity',
] as const;

/** Why a wanted preset is not started now, in one word: the closed list. What each means is in `src/operator/reasons.ts`. */
export const WAIT_REASONS = [...BARS, ...LACKS_OF_ROOM] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** Whether a word of a status is one of these. */
export const isWaitReason = (word: string): word is WaitReason => WAIT_REASONS.some((reason) => reason === word);

/** Whether it waits for room: for what others hold. */
export const isLackOfRoom = (reason: WaitReason): boolean => LACKS_OF_ROOM.some((lack) => lack === reason);
