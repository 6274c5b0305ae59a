const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** bin/corral says so where SIGHUP was ignored when it began, as nohup has it: Node itself resets that when it starts. */
const isHangUpIgnored = (): boolean => process.env['CORRAL_SIGHUP'] === 'ignored';

/** For the life of this process: a SIGHUP that was ignored when it began does not end it, whether or not anything listens. */
export function keepHangUpIgnored(): void {
  if (isHangUpIgnored()) process.on('SIGHUP', () => undefined);
}

/** Calls back on each signal that asks this process to end, until the returned function is called. */
export function onEndingSignal(callback: (signal: NodeJS.Signals) => void): () => void {
  const signals = ENDING_SIGNALS.filter((signal) => signal !== 'SIGHUP' || !isHangUpIgnored());
  for (const signal of signals) process.on(signal, callback);
  return () => {
    for (const signal of signals) process.off(signal, callback);
  };
}

/** Runs `work` with a signal that is aborted when this process is asked to end, so that the work can clean up. */
export async function untilAskedToEnd<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const stopListening = onEndingSignal(() => {
    ending.abort();
  });
  try {
    return await work(ending.signal);
  } finally {
    stopListening();
  }
}
