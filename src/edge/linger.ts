import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { milliseconds, type Duration } from '../domain/units.ts';

/** How long a connection is read on that is over for us. */
export interface LingerBounds {
  /** Between two looks: whoever has sent nothing from one to the next, with all of the answer out, has stopped. */
  readonly interval: Duration;
  /** So many looks, however much comes: who sends a byte now and then holds a connection no longer than that. */
  readonly mostLooks: number;
  readonly mostBytes: number;
}

/** Ten seconds at the most. The bytes are twice what the largest body may have by default: whoever sends more was told before. */
export const LINGER: LingerBounds = {
  interval: milliseconds(2000),
  mostLooks: 5,
  mostBytes: 256 * 1024 * 1024,
};

/**
 * Ends a connection whose client may still be sending, `words` first, and closes it when the client does, or its request (`unread`) has
 * come to its end. Until then what comes is read and thrown away, within bounds. Closed at once, the kernel would answer what still comes
 * with a reset, and at that the client's kernel drops the answer, if its client has not read it (RFC 9112 section 9.6).
 */
export function linger(
  socket: Socket,
  { interval, mostLooks, mostBytes }: LingerBounds,
  unread: IncomingMessage | undefined,
  words: string,
): void {
  const most = socket.bytesRead + mostBytes;
  const isTooMuch = (): boolean => socket.bytesRead > most;
  const isOver = quietOrLate(socket, mostLooks);
  const timer = setInterval(() => {
    if (isOver() || isTooMuch()) socket.destroy();
  }, interval);
  // It is the connection that keeps the process.
  timer.unref();
  socket.once('close', () => {
    clearInterval(timer);
  });
  socket.end(words);
  // Without a listener what Node makes of it is thrown away.
  socket.resume();
  if (unread !== undefined) throwAway(unread, socket, isTooMuch);
}

function throwAway(unread: IncomingMessage, socket: Socket, isTooMuch: () => boolean): void {
  unread.on('data', () => {
    if (isTooMuch()) socket.destroy();
  });
  unread.once('end', () => {
    socket.destroySoon();
  });
  unread.resume();
}

/** Looks whether nothing has come since the look before, or it is the last look. */
function quietOrLate(socket: Socket, mostLooks: number): () => boolean {
  let looks = 0;
  let seen = socket.bytesRead;
  return () => {
    looks += 1;
    const isQuiet = socket.bytesRead === seen && socket.writableFinished;
    seen = socket.bytesRead;
    return isQuiet || looks >= mostLooks;
  };
}
