import type { Duration } from '../domain/units.ts';
import type { Refusal } from './refusal.ts';

/** How a replica was silent: the code for it, and what it has done, without its name. */
interface Silence {
  readonly code: 'first_byte_timeout' | 'chunk_timeout';
  readonly deed: string;
}

/** A replica was silent for longer than it may be, with the connection open. */
export class SilenceError extends Error {
  readonly silence: Silence;

  constructor(silence: Silence) {
    super(`it ${silence.deed}`);
    this.silence = silence;
  }
}

const inSeconds = (duration: Duration): string => `${duration / 1000} s`;

export const notBegun = (limit: Duration): SilenceError =>
  new SilenceError({ code: 'first_byte_timeout', deed: `has not begun to answer within ${inSeconds(limit)}` });

export const pausedTooLong = (limit: Duration): SilenceError =>
  new SilenceError({
    code: 'chunk_timeout',
    deed: `paused in the middle of its answer for longer than ${inSeconds(limit)}`,
  });

const upstreamFailed = (message: string): Refusal => ({ status: 502, code: 'upstream_failed', message });

/** No replica could be given the request, however often it was tried. */
export const UNREACHABLE = upstreamFailed('the model cannot be reached');

/** A replica has the request, and nothing came back. */
export const unanswered = (error: Error): Refusal =>
  timedOut(error) ?? upstreamFailed('the model stopped before it answered');

/** The answer ended in its middle. */
export const brokenOff = (error: Error): Refusal =>
  timedOut(error) ?? upstreamFailed('the model stopped in the middle of its answer');

/** `undefined`: it was not for its silence. */
function timedOut(error: Error): Refusal | undefined {
  if (!(error instanceof SilenceError)) return undefined;
  return { status: 504, code: error.silence.code, message: `the model ${error.silence.deed}` };
}
