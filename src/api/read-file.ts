import { readFile } from 'node:fs/promises';
import type { Problem } from './problem.ts';

export interface FileBytes {
  /** As the user named it. */
  readonly file: string;
  readonly bytes: Buffer;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** A file, or why it could not be read. */
export type ReadFile<File> =
  { readonly ok: true; readonly file: File } | { readonly ok: false; readonly problem: Problem };

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'this is a folder, not a file'],
  ['EACCES', 'the file may not be read'],
]);

/** The word that the system has for an error, such as `ENOENT`; else the error itself, in words. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/** Reads a whole file. What cannot be read is a problem, never an exception. */
export async function readBytes(file: string): Promise<ReadFile<FileBytes>> {
  try {
    return { ok: true, file: { file, bytes: await readFile(file) } };
  } catch (error) {
    const code = codeOf(error);
    const known = REASONS.get(code);
    return { ok: false, problem: { file, reason: known === undefined ? `the file cannot be read (${code})` : known } };
  }
}

/** A file's bytes as UTF-8. */
export function asText({ file, bytes }: FileBytes): ReadFile<SourceFile> {
  try {
    return { ok: true, file: { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) } };
  } catch {
    return { ok: false, problem: { file, reason: 'the file is not UTF-8 text' } };
  }
}

/** Reads a whole file as UTF-8. */
export async function readText(file: string): Promise<ReadFile<SourceFile>> {
  const read = await readBytes(file);
  return read.ok ? asText(read.file) : read;
}
