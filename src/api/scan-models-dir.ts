import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findNameFault } from './check-model-name.ts';
import type { Problem, WithoutEffect } from './problem.ts';

/** A model that lies in the models folder. Paths begin with the folder as it was given. */
export interface FoundModel {
  readonly name: string;
  readonly model: string;
  /** Its multimodal projector. */
  readonly mmproj?: string;
  /** Its draft model for speculative decoding. */
  readonly draft?: string;
}

export interface ScannedDir {
  readonly dir: string;
  /** In the order of their names. */
  readonly models: readonly FoundModel[];
  /** Files that look like models and are none. */
  readonly withoutEffect: readonly WithoutEffect[];
  readonly problems: readonly Problem[];
}

/** What a folder holds, or why it cannot be read. */
interface Listing {
  readonly files: readonly string[];
  readonly dirs: readonly string[];
}

const SHARD = /-(\d{5})-of-\d{5}/u;
/** llama.cpp, common/preset.cpp: draft models that lie beside the model they speed up. */
const DRAFT_PREFIXES = ['mtp-', 'dspark-', 'dflash-'];

const isMmproj = (file: string): boolean => file.includes('mmproj');
const isDraft = (file: string): boolean => DRAFT_PREFIXES.some((prefix) => file.startsWith(prefix));
const isLaterShard = (file: string): boolean => ![undefined, '00001'].includes(SHARD.exec(file)?.[1]);

type EntryKind = 'file' | 'dir' | 'other';

/** Follows links. One that leads nowhere is passed over, as everything that is neither file nor folder. */
async function kindOf(path: string): Promise<EntryKind> {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    return found.isDirectory() ? 'dir' : 'other';
  } catch {
    return 'other';
  }
}

async function list(dir: string): Promise<Listing> {
  const names = (await readdir(dir)).sort();
  const kinds = await Promise.all(names.map(async (name) => kindOf(join(dir, name))));
  const pick = (kind: EntryKind): string[] => names.filter((_, index) => kinds[index] === kind);
  return { files: pick('file').filter((name) => name.endsWith('.gguf')), dirs: pick('dir') };
}

interface Chosen {
  readonly model: FoundModel | undefined;
  readonly unused: readonly string[];
}

/** A first shard goes before a whole file, as in llama-server; among equals the first by name is taken. */
function chooseModel(name: string, dir: string, files: readonly string[]): Chosen {
  const mmproj = files.find(isMmproj);
  const draft = files.find((file) => !isMmproj(file) && isDraft(file));
  const candidates = files.filter((file) => !isMmproj(file) && !isDraft(file) && !isLaterShard(file));
  const model = [...candidates.filter((file) => SHARD.test(file)), ...candidates].at(0);
  if (model === undefined) return { model: undefined, unused: [] };
  return {
    model: {
      name,
      model: join(dir, model),
      ...(mmproj === undefined ? {} : { mmproj: join(dir, mmproj) }),
      ...(draft === undefined ? {} : { draft: join(dir, draft) }),
    },
    unused: files.filter((file) => ![model, mmproj, draft].includes(file) && !isLaterShard(file)),
  };
}

type Part = Pick<ScannedDir, 'models' | 'withoutEffect' | 'problems'>;
const NOTHING: Part = { models: [], withoutEffect: [], problems: [] };

const REASONS = new Map([
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'this is a file, not a folder'],
  ['EACCES', 'the folder may not be read'],
]);

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const known = REASONS.get(code);
  return known === undefined ? `the folder cannot be read (${code})` : known;
}

/** A folder of a folder that cannot be read is no model; the others go on. */
async function scanSubdirectory(dir: string, name: string): Promise<Part> {
  const path = join(dir, name);
  try {
    const { model, unused } = chooseModel(name, path, (await list(path)).files);
    if (model === undefined) return NOTHING;
    const reason = `the folder is one model, and that is ${model.model}; give each model a folder of its own`;
    return { models: [model], problems: [], withoutEffect: unused.map((field) => ({ file: path, field, reason })) };
  } catch (error) {
    return { ...NOTHING, withoutEffect: [{ file: dir, field: name, reason: explain(error) }] };
  }
}

const scanFiles = (dir: string, files: readonly string[]): FoundModel[] =>
  files
    .filter((file) => !isMmproj(file) && !isDraft(file) && !isLaterShard(file))
    .map((file) => ({ name: file.replaceAll('.gguf', ''), model: join(dir, file) }));

async function scan(dir: string): Promise<Part> {
  const { files, dirs } = await list(dir);
  const parts = await Promise.all(dirs.map(async (name) => scanSubdirectory(dir, name)));
  const models = [...scanFiles(dir, files), ...parts.flatMap((part) => part.models)];
  return {
    models: models.sort((a, b) => (a.name < b.name ? -1 : 1)),
    withoutEffect: parts.flatMap((part) => part.withoutEffect),
    problems: [],
  };
}

/** A file whose name cannot be a model's is no model; the others go on. */
function dropUnnamable(part: Part): Part {
  const faults = part.models.flatMap(({ name, model }) => {
    const reason = findNameFault(name);
    return reason === undefined ? [] : [{ file: model, field: name, reason }];
  });
  return {
    ...part,
    models: part.models.filter(({ name }) => findNameFault(name) === undefined),
    withoutEffect: [...part.withoutEffect, ...faults],
  };
}

/**
 * Lists the models of a folder as llama-server's router does: `name.gguf` is model `name`; a folder in it is one model named
 * after it, of which `-00001-of-` is the first shard, a file with `mmproj` in its name the projector and one that begins
 * with `mtp-`, `dspark-` or `dflash-` the draft model. Unlike llama-server it never lists later shards, which cannot be
 * loaded. What a file holds is not looked at: loading one that is no GGUF fails with llama-server's reason.
 */
export async function scanModelsDir(dir: string): Promise<ScannedDir> {
  try {
    return { dir, ...dropUnnamable(await scan(dir)) };
  } catch (error) {
    const problem = { file: dir, reason: explain(error), fix: 'Name a folder that holds GGUF files.' };
    return { dir, ...NOTHING, problems: [problem] };
  }
}
