import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { milliseconds, type Duration } from '../domain/units.ts';

/** How long a connection is read on that is over for us. */
export interface LingerBounds {
  /** Between two looks how much has come. */
  readonly interval: Duration;
  /** Whoever has sent nothing in so many looks, counted by such rounds, with all of the answer out, has stopped. */
  readonly quietLooks: number;
  /** So many looks, however much comes: who sends a byte now and then holds a connection no longer than that. */
  readonly mostLooks: number;
  /** More is read only until the next look. */
  readonly mostBytes: number;
}

/** Ten seconds at the most. The bytes are twice what the largest body may have by default: whoever sends more was told before. */
export const LINGER: LingerBounds = {
  interval: milliseconds(100),
  quietLooks: 20,
  mostLooks: 100,
  mostBytes: 256 * 1024 * 1024,
};

/**
 * Ends a connection whose client may still be sending, `words` first, and closes it when the client does, or its request (`unread`) has
 * come to its end. Until then what comes is read and thrown away, within bounds. Closed at once, the kernel would answer what still comes
 * with a reset, and at that the client's kernel drops the answer, if its client has not read it (RFC 9112 section 9.6).
 */
export function linger(socket: Socket, bounds: LingerBounds, unread: IncomingMessage | undefined, words: string): void {
  const isOver = endOf(socket, bounds);
  const timer = setInterval(() => {
    if (isOver()) socket.destroy();
  }, bounds.interval);
  // It is the connection that keeps the process.
  timer.unref();
  socket.once('close', () => {
    clearInterval(timer);
  });
  socket.end(words);
  // Without a listener what Node makes of it is thrown away.
  socket.resume();
  unread?.once('end', () => {
    socket.destroySoon();
  });
  unread?.resume();
}

/** Looks whether too much has come, nothing in the last round, or it is the last look. Node tells of no byte of a body whose answer is out. */
function endOf(socket: Socket, { quietLooks, mostLooks, mostBytes }: LingerBounds): () => boolean {
  const most = socket.bytesRead + mostBytes;
  let looks = 0;
  let seen = socket.bytesRead;
  return () => {
    looks += 1;
    if (looks >= mostLooks || socket.bytesRead > most) return true;
    if (looks % quietLooks > 0) return false;
    const isQuiet = socket.bytesRead === seen && socket.writableFinished;
    seen = socket.bytesRead;
    return isQuiet;
  };
}
