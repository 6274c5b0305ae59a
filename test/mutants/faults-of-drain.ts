import { operator, type PlantedFault } from './planted-fault.ts';

/** Whose word it takes before a pod is stopped, and what may stand in for it. */
export const FAULTS_OF_DRAIN: readonly PlantedFault[] = [
  operator(
    'drain-verdict',
    'an edge whose Lease has expired is dead',
    'const isPresumed = areSilent && showsIdle(row, now);',
    'const isPresumed = areSilent;',
  ),
  operator(
    'drain-verdict',
    'slots that are idle stand in for an edge that lives',
    'open.length > 0 && open.every(({ isSilent }) => isSilent);',
    'open.length > 0;',
  ),
  operator(
    'slot-row',
    'what cannot be seen is idle',
    "if (look !== 'idle') return undefined;",
    "if (look === 'busy') return undefined;",
  ),
  operator(
    'slot-row',
    'one look at the slots is enough',
    'return after(row.from, LOOK_GAP) <= row.lastAskedAt;',
    'return true;',
  ),
  operator(
    'slot-row',
    'a look at the slots is true for ever',
    'now > after(row.lastAnsweredAt, FRESH)',
    'now < row.lastAnsweredAt',
  ),
  operator(
    'edge-pulse',
    'a Lease is as old as the first read of it was sent',
    'from: goesOn ? before.from : answeredAt,',
    'from: goesOn ? before.from : askedAt,',
  ),
  operator(
    'edge-pulse',
    'a leader that stood still has listened meanwhile',
    'before.version === version && askedAt <= after(before.until, LONGEST_GAP)',
    'before.version === version',
  ),
  operator('edge-pulse', 'a report is no sign of life', 'later(pulse.from, heardAt)', 'later(pulse.from, pulse.from)'),
];
