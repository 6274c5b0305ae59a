import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Problem } from '../../api/problem.ts';
import type { Checked } from './checked-yaml.ts';

const CHUNK_BYTES = 1 << 20;

/**
 * The lines of a file without their ends, as many at once as one read brings, so that a million of them take no million awaits. A
 * byte order mark and an empty last line are left out. Throws what reading throws.
 */
export async function* readLines(file: string): AsyncGenerator<readonly string[]> {
  let rest: string | undefined;
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: CHUNK_BYTES })) {
    const text = rest === undefined ? String(chunk).replace(/^\uFEFF/u, '') : rest + String(chunk);
    const lines = text.split(/\r?\n/u);
    rest = lines.pop();
    yield lines;
  }
  if (rest !== undefined && rest !== '') yield [rest];
}

/** The whole text of a file, or why it cannot be read. */
export async function readTextFile(file: string): Promise<Checked<string>> {
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)) };
  } catch (error) {
    return { ok: false, problems: [explainUnreadable(file, error)] };
  }
}

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'this is a folder, not a file'],
  ['EACCES', 'the file may not be read'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'the file is not UTF-8 text'],
]);

/** What reading has thrown, for people. Throws on what is no failure of reading. */
export function explainUnreadable(file: string, error: unknown): Problem {
  if (!(error instanceof Error && 'code' in error)) throw error;
  const reason = REASONS.get(String(error.code));
  return { file, reason: reason === undefined ? `the file cannot be read (${String(error.code)})` : reason };
}
