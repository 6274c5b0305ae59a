import { assertNever } from '../domain/assert-never.ts';
import type { PresetUid } from '../domain/ids.ts';
import { amountOf } from '../domain/resources.ts';
import { BARS } from '../domain/wait-reason.ts';
import type { Blocked, BlockedReason } from '../planner/action.ts';
import type { Waits } from '../routing/route.ts';
import { waitForLargerPool } from '../routing/too-large.ts';

/** What the sentences need to know beside the reason. */
export interface Words {
  /** `undefined`: nobody declares it any more. */
  readonly nameOf: (preset: PresetUid) => string | undefined;
  /** In what words the scheduler has refused a preset, if it has. */
  readonly schedulerWords: (preset: PresetUid) => string | undefined;
}

/** As many names are told; of more, how many there are. */
const MAX_NAMES = 3;

/** What a blocked preset waits for, for programs and for people. */
export function waitsFor(blocked: Blocked, words: Words): Waits {
  const { reason, position } = blocked;
  const because = describe(blocked, words);
  return { reason: reason.kind, because, ...(position === undefined ? {} : { position }) };
}

type Reason<Kind extends BlockedReason['kind']> = Extract<BlockedReason, { readonly kind: Kind }>;
/** What is no matter of room. */
type Bar = Reason<(typeof BARS)[number]>;

const isBar = (reason: BlockedReason): reason is Bar => BARS.some((kind) => kind === reason.kind);

/**
 * The end of the sentence "it waits for …". The same as long as nothing but the time has changed: it is written into
 * statuses, and each change of it is a write.
 */
function describe({ preset, reason }: Blocked, words: Words): string {
  if (isBar(reason)) return describeBar(reason);
  switch (reason.kind) {
    case 'WaitingForDrain':
      return `${listNames(reason.leaving, words)} to finish what is in flight and stop`;
    case 'Unschedulable':
      return `a place: ${describeRefusal(words.schedulerWords(preset))}`;
    case 'Reserved':
      return `room: what is free is kept for ${listNames([reason.beneficiary], words)}, whose turn comes first`;
    case 'MinResidency':
      return 'room: what is idle in its pool has not been loaded for long enough to leave';
    case 'ActivityUnknown':
      return `news of ${listNames(reason.presets, words)}: nobody knows whether requests are in flight there`;
    case 'HigherPriority':
      return `room: in use by ${listNames(reason.holders, words)}, of a higher priority`;
    case 'WaitingForCapacity':
      return `room: taken by ${listNames(reason.holders, words)}, in use or not allowed to leave`;
    default:
      return assertNever(reason);
  }
}

function describeBar(reason: Bar): string {
  switch (reason.kind) {
    case 'PoolNotFound':
      return `its pool ${reason.pool}, which does not exist`;
    case 'PoolPaused':
      return `its pool ${reason.pool}, which is paused`;
    case 'NotAccepted':
      return `its declaration to be accepted: ${reason.message}`;
    case 'AutoloadOff':
      return 'an order to load it: requests do not';
    case 'BackOff':
      return 'the next try after its last load failed';
    case 'TooLarge':
      return waitForLargerPool(describeLack(reason));
    default:
      return assertNever(reason);
  }
}

function describeLack({ footprint, largest }: Reason<'TooLarge'>): string {
  const lacking = [...footprint].filter(([name, amount]) => amount > amountOf(largest, name)).map(([name]) => name);
  if (lacking.length === 0) return 'its pool has room for nothing';
  return `it needs more ${lacking.sort().join(' and ')} than any part of its pool has`;
}

/** Another preset's refusal counts for all that need as much. */
const describeRefusal = (words: string | undefined): string =>
  words === undefined ? 'the scheduler has found none for a model that needs no more' : words;

/** In the order of the alphabet, so that the same ones make the same sentence. */
function listNames(presets: readonly PresetUid[], { nameOf }: Words): string {
  const all = new Set(presets);
  const names = [...all].flatMap((uid) => nameOf(uid) ?? []).sort();
  if (names.length === 0) return all.size > 1 ? 'other models' : 'another model';
  const shown = names.slice(0, MAX_NAMES);
  const others = all.size - shown.length;
  if (others > 0) return `${shown.join(', ')} and ${others} more`;
  return shown.length === 1 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.slice(-1).join('')}`;
}
