const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls back on each signal that asks this process to end, until the returned function is called. */
export function onEndingSignal(callback: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of ENDING_SIGNALS) process.on(signal, callback);
  return () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, callback);
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
