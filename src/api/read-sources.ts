import { readFile } from 'node:fs/promises';
import type { Problem } from './problem.ts';
import { type ScannedDir, scanModelsDir } from './scan-models-dir.ts';

/** What the user named. */
export interface SourcePaths {
  readonly modelsDir: string | undefined;
  readonly modelsPreset: string | undefined;
  readonly manifests: readonly string[];
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** What lay there at one moment. */
export interface Sources {
  readonly modelsDir: ScannedDir | undefined;
  readonly presets: SourceFile | undefined;
  readonly manifests: readonly SourceFile[];
  readonly problems: readonly Problem[];
}

type ReadFile = { readonly ok: true; readonly file: SourceFile } | { readonly ok: false; readonly problem: Problem };

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'this is a folder, not a file'],
  ['EACCES', 'the file may not be read'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'the file is not UTF-8 text'],
]);

async function read(file: string): Promise<ReadFile> {
  try {
    return { ok: true, file: { file, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)) } };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const known = REASONS.get(code);
    return { ok: false, problem: { file, reason: known === undefined ? `the file cannot be read (${code})` : known } };
  }
}

/** Reads everything that a catalog is built from. What cannot be read is a problem, never an exception. */
export async function readSources({ modelsDir, modelsPreset, manifests }: SourcePaths): Promise<Sources> {
  const [scanned, presets, objects] = await Promise.all([
    modelsDir === undefined ? undefined : scanModelsDir(modelsDir),
    modelsPreset === undefined ? undefined : read(modelsPreset),
    Promise.all(manifests.map(read)),
  ]);
  const reads = [...(presets === undefined ? [] : [presets]), ...objects];
  return {
    modelsDir: scanned,
    presets: presets?.ok === true ? presets.file : undefined,
    manifests: objects.flatMap((object) => (object.ok ? [object.file] : [])),
    problems: [
      ...(scanned === undefined ? [] : scanned.problems),
      ...reads.flatMap((result) => (result.ok ? [] : [result.problem])),
    ],
  };
}
