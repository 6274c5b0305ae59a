import { open } from 'node:fs/promises';

/** The first four bytes of every GGUF file (ggml's docs/gguf.md). */
export const GGUF_MAGIC = 'GGUF';

/**
 * Whether a file begins as a GGUF file does: for a clear error before a llama-server is started for it.
 * Throws what opening or reading the file throws.
 */
export async function isGguf(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GGUF_MAGIC.length), 0, GGUF_MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === GGUF_MAGIC;
  } finally {
    await file.close();
  }
}
