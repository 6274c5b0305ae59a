const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** On a signal that ends this process does `end` first. Returns what undoes that. */
export function onSignal(end: () => Promise<void>): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = (): void => {
      forget();
      void end().finally(() => process.kill(process.pid, signal));
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  const forget = (): void => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
  return forget;
}
