import type { Acceptance } from '../api/cluster/accept.ts';
import type { PresetStatus } from '../api/model-deployment-schema.ts';
import { LONGEST_DELAY, type FailureNote } from '../control/failures.ts';
import { replicaId, type PresetUid } from '../domain/ids.ts';
import type { FailureCode } from '../domain/replica.ts';
import { after, milliseconds, seconds, type Duration, type Instant } from '../domain/units.ts';
import { FAILURES } from './reasons.ts';
import { statusOf } from './status-of.ts';

/**
 * The failures that an earlier operator has written into the statuses. How much of a wait is over nobody can tell without
 * comparing two machines' clocks: it begins anew, and is never shorter.
 */
export const rememberedFailures = ({ verdicts }: Acceptance<unknown>, now: Instant): Map<PresetUid, FailureNote> =>
  new Map(
    verdicts.flatMap((verdict) =>
      verdict.presets.flatMap((preset): [PresetUid, FailureNote][] => {
        const note = noteOf(statusOf(preset, verdict), now);
        return note === undefined ? [] : [[preset.uid, note]];
      }),
    ),
  );

/** What of a failure only a process that has seen it knows. */
const UNSEEN = { exitCode: undefined, startedAt: undefined, readyFor: undefined } as const;

function noteOf(status: PresetStatus | undefined, now: Instant): FailureNote | undefined {
  const last = status?.lastFailure;
  if (status === undefined || last === undefined || !isFailureCode(last.reason)) return undefined;
  const { reason: code, rendered, inARow: count, waitSeconds, podUids = [] } = last;
  return {
    failure: { code, ...wordsOf(status, code), at: now, ...UNSEEN },
    rendered,
    count,
    firstAt: undefined,
    counted: podUids.map(replicaId),
    until: after(now, waitSeconds === undefined ? milliseconds(0) : atMost(seconds(waitSeconds))),
  };
}

/** The message is about the failure only in the phase Failed. */
function wordsOf({ phase, message = '' }: PresetStatus, code: string): { reason: string; logTail: readonly string[] } {
  const [reason = '', ...logTail] = phase === 'Failed' ? message.split('\n') : [];
  return reason === '' ? { reason: `it has failed (${code})`, logTail: [] } : { reason, logTail };
}

const atMost = (wait: Duration): Duration => milliseconds(Math.min(wait, LONGEST_DELAY));

const isFailureCode = (text: string): text is FailureCode => Object.hasOwn(FAILURES, text);
