import { resolve } from 'node:path';
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

/** The files to read, each once: of one that is read twice each object would be declared by itself already. */
interface NamedOnce {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

function nameOnce(manifests: readonly string[]): NamedOnce {
  const named = [...Map.groupBy(manifests, (file) => resolve(file)).values()];
  return { files: named.flatMap((names) => names.slice(0, 1)), problems: named.flatMap(findRepeated) };
}

function findRepeated([first, ...more]: readonly string[]): Problem[] {
  if (first === undefined || more.length === 0) return [];
  const others = [...new Set(more)].filter((name) => name !== first);
  const also = others.length === 0 ? '' : `, also as ${others.join(' and ')}`;
  const times = more.length === 1 ? 'twice' : `${more.length + 1} times`;
  return [{ file: 'command line', field: '-f', reason: `${first} is named ${times}${also}`, fix: 'Name it once.' }];
}

/** Reads everything that a catalog is built from. What cannot be read is a problem, never an exception. */
export async function readSources({ modelsDir, modelsPreset, manifests }: SourcePaths): Promise<Sources> {
  const once = nameOnce(manifests);
  const [scanned, presets, objects] = await Promise.all([
    modelsDir === undefined ? undefined : scanModelsDir(modelsDir),
    modelsPreset === undefined ? undefined : readText(modelsPreset),
    Promise.all(once.files.map(readText)),
  ]);
  const reads = [...(presets === undefined ? [] : [presets]), ...objects];
  return {
    modelsDir: scanned,
    presets: presets?.ok === true ? presets.file : undefined,
    manifests: objects.flatMap((object) => (object.ok ? [object.file] : [])),
    problems: [
      ...once.problems,
      ...(scanned === undefined ? [] : scanned.problems),
      ...reads.flatMap((result) => (result.ok ? [] : [result.problem])),
    ],
  };
}
