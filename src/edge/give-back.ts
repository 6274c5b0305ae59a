/** Up to this size, in bytes, a buffer may be a part of memory that it shares with others (Node's pool). */
const SHARED = 64 * 1024;

/**
 * Gives the memory of a buffer back at once, if it is its own: V8 counts it little, and may leave it for minutes after the last use. The
 * buffer is empty from then on. Only for one that nobody will look at any more, a write that is under way included.
 */
export function giveBack(bytes: Buffer): void {
  const { buffer, byteLength } = bytes;
  const isOwn = byteLength > SHARED || byteLength === buffer.byteLength;
  if (isOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

export const isGivenBack = ({ buffer }: Buffer): boolean => buffer instanceof ArrayBuffer && buffer.detached;
