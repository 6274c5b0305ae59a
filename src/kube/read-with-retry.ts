import { milliseconds, seconds } from '../domain/units.ts';
import type { HttpCall, HttpCalls } from './http-calls.ts';
import { ApiError } from './kube-api.ts';
import { pause, type Timers } from './timers.ts';

const MOST_TRIES = 3;
/** Whoever called waits meanwhile: when the server wants to be left alone for longer, that is for the caller to decide. */
const LONGEST_WAIT = seconds(5);

/** A read that is done again when the server is too busy and says when it wants to be asked again. Never for a write. */
export async function readWithRetry(calls: HttpCalls, timers: Timers, call: HttpCall): Promise<unknown> {
  const signal = call.signal ?? new AbortController().signal;
  for (let tries = 1; ; tries += 1) {
    try {
      return await calls.json(call);
    } catch (error) {
      const delay = retryAfter(error);
      if (delay === undefined || tries === MOST_TRIES || signal.aborted) throw error;
      await pause(timers, milliseconds(delay), signal);
    }
  }
}

function retryAfter(error: unknown): number | undefined {
  if (!(error instanceof ApiError) || (error.status !== 429 && error.status !== 503)) return undefined;
  return error.retryAfter !== undefined && error.retryAfter <= LONGEST_WAIT ? error.retryAfter : undefined;
}
