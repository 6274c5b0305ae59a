import { errors } from 'undici';
import type { EdgeLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';

const upstreamFailed = (message: string): Refusal => ({ status: 502, code: 'upstream_failed', message });

/** No replica could be given the request, however often it was tried. */
export const UNREACHABLE = upstreamFailed('the model cannot be reached');

/** A replica has the request, and nothing came back. */
export function unanswered(error: Error, { firstByteTimeout }: EdgeLimits): Refusal {
  if (!(error instanceof errors.HeadersTimeoutError)) return upstreamFailed('the model stopped before it answered');
  const message = `the model has not begun to answer within ${inSeconds(firstByteTimeout)}`;
  return { status: 504, code: 'first_byte_timeout', message };
}

/** The answer ended in its middle. */
export function brokenOff(error: Error, { chunkTimeout }: EdgeLimits): Refusal {
  if (!(error instanceof errors.BodyTimeoutError))
    return upstreamFailed('the model stopped in the middle of its answer');
  const message = `the model paused in the middle of its answer for longer than ${inSeconds(chunkTimeout)}`;
  return { status: 504, code: 'chunk_timeout', message };
}

const inSeconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
