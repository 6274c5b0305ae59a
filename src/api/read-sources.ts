import type { Problem } from './problem.ts';
import { readText, type SourceFile } from './read-file.ts';
import { type ScannedDir, scanModelsDir } from './scan-models-dir.ts';

/** What the user named. */
export interface SourcePaths {
  readonly modelsDir: string | undefined;
  readonly modelsPreset: string | undefined;
  readonly manifests: readonly string[];
}

/** What lay there at one moment. */
export interface Sources {
  readonly modelsDir: ScannedDir | undefined;
  readonly presets: SourceFile | undefined;
  readonly manifests: readonly SourceFile[];
  readonly problems: readonly Problem[];
}

/** Reads everything that a catalog is built from. What cannot be read is a problem, never an exception. */
export async function readSources({ modelsDir, modelsPreset, manifests }: SourcePaths): Promise<Sources> {
  const [scanned, presets, objects] = await Promise.all([
    modelsDir === undefined ? undefined : scanModelsDir(modelsDir),
    modelsPreset === undefined ? undefined : readText(modelsPreset),
    Promise.all(manifests.map(readText)),
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
