import type { EventEmitter } from 'node:events';

/** What is written to, such as standard output. */
export type Written = Pick<EventEmitter, 'on' | 'listenerCount'>;

/**
 * Whoever reads a pipe may leave before the end, as `| head -1` does: what is written then is lost without a word, instead of
 * ending the program with a stack trace. Other errors are for whoever else listens, such as the log's sink; where nobody does,
 * they end the program as before.
 */
export function letReadersLeave(...streams: readonly Written[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && stream.listenerCount('error') === 1) throw error;
    });
  }
}
