import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findNameFault } from './check-model-name.ts';
import type { Problem, Warning, WithoutEffect } from './problem.ts';
import { codeOf } from './read-file.ts';

/** A model that lies in the models folder. Paths begin with the folder as it was given. */
export interface FoundModel {
  readonly name: string;
  readonly model: string;
  /** Its multimodal projector. */
  readonly mmproj?: string;
  /** Its draft model for speculative decoding. */
  readonly draft?: string;
}

/** What lies in the folder and cannot be looked at: no proof that its model is gone. */
export interface Unread extends WithoutEffect {
  /** The model that it is, or is a part of, if it is one. */
  readonly model: string;
}

export interface ScannedDir {
  readonly dir: string;
  /** In the order of their names. */
  readonly models: readonly FoundModel[];
  /** Files beside the one that is the model of their folder. */
  readonly withoutEffect: readonly WithoutEffect[];
  /** What looks like a model and is not served, or that nothing does. */
  readonly warnings: readonly Warning[];
  readonly unread: readonly Unread[];
  readonly problems: readonly Problem[];
}

/** What a folder holds, or why it cannot be read. */
interface Listing {
  readonly files: readonly string[];
  readonly dirs: readonly string[];
  readonly faults: readonly Fault[];
}

/** An entry of a folder, and why it cannot be told what it is. */
interface Fault {
  readonly name: string;
  readonly reason: string;
}

const SHARD = /-(\d{5})-of-\d{5}/u;
/** llama.cpp, common/preset.cpp: draft models that lie beside the model they speed up. */
const DRAFT_PREFIXES = ['mtp-', 'dspark-', 'dflash-'];

const isGguf = (file: string): boolean => file.endsWith('.gguf');
const isMmproj = (file: string): boolean => file.includes('mmproj');
const isDraft = (file: string): boolean => DRAFT_PREFIXES.some((prefix) => file.startsWith(prefix));
const isLaterShard = (file: string): boolean => ![undefined, '00001'].includes(SHARD.exec(file)?.[1]);

type EntryKind = 'file' | 'dir' | 'other';

/** Every other error says nothing of whether it is there. */
const saysGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error));

/** Follows links. One that leads nowhere is passed over, as everything that is neither file nor folder. */
async function kindOf(path: string): Promise<EntryKind | { readonly reason: string }> {
  try {
    const found = await stat(path);
    if (found.isFile()) return 'file';
    return found.isDirectory() ? 'dir' : 'other';
  } catch (error) {
    return saysGone(error) ? 'other' : { reason: `it cannot be looked at (${codeOf(error)})` };
  }
}

async function list(dir: string): Promise<Listing> {
  const names = (await readdir(dir)).sort();
  const kinds = await Promise.all(names.map(async (name) => kindOf(join(dir, name))));
  const pick = (kind: EntryKind): string[] => names.filter((_, index) => kinds[index] === kind);
  const faults = kinds.flatMap((kind, index) =>
    typeof kind === 'string' ? [] : names.slice(index, index + 1).map((name) => ({ name, reason: kind.reason })),
  );
  return { files: pick('file').filter(isGguf), dirs: pick('dir'), faults };
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

type Part = Omit<ScannedDir, 'dir'>;
const NOTHING: Part = { models: [], withoutEffect: [], warnings: [], unread: [], problems: [] };

const REASONS = new Map([
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'this is a file, not a folder'],
  ['EACCES', 'the folder may not be read'],
]);

function explain(error: unknown): string {
  const code = codeOf(error);
  const known = REASONS.get(code);
  return known === undefined ? `the folder cannot be read (${code})` : known;
}

/** A folder of a folder that cannot be read is told of; the others go on. */
async function scanSubdirectory(dir: string, name: string): Promise<Part> {
  const path = join(dir, name);
  try {
    const { files, faults } = await list(path);
    const { model, unused } = chooseModel(name, path, files);
    const unread = faults
      .filter((fault) => isGguf(fault.name))
      .map((fault) => ({ model: name, file: path, field: fault.name, reason: fault.reason }));
    if (model === undefined) return { ...NOTHING, unread };
    const reason = `the folder is one model, and that is ${model.model}; give each model a folder of its own`;
    return {
      ...NOTHING,
      models: [model],
      unread,
      withoutEffect: unused.map((field) => ({ file: path, field, reason })),
    };
  } catch (error) {
    if (saysGone(error)) return NOTHING;
    return { ...NOTHING, unread: [{ model: name, file: dir, field: name, reason: explain(error) }] };
  }
}

const modelOf = (file: string): string => file.replaceAll('.gguf', '');

const scanFiles = (dir: string, files: readonly string[]): FoundModel[] =>
  files
    .filter((file) => !isMmproj(file) && !isDraft(file) && !isLaterShard(file))
    .map((file) => ({ name: modelOf(file), model: join(dir, file) }));

/** A folder too high or too deep looks like one that is not filled yet. */
const NO_MODEL = 'no model is found in it: it is searched for NAME.gguf and NAME/*.gguf, not deeper';

async function scan(dir: string): Promise<Part> {
  const { files, dirs, faults } = await list(dir);
  const parts = await Promise.all(dirs.map(async (name) => scanSubdirectory(dir, name)));
  const models = [...scanFiles(dir, files), ...parts.flatMap((part) => part.models)];
  return {
    models: models.sort((a, b) => (a.name < b.name ? -1 : 1)),
    withoutEffect: parts.flatMap((part) => part.withoutEffect),
    warnings: models.length === 0 ? [{ file: dir, reason: NO_MODEL }] : [],
    unread: [
      ...faults.map(({ name, reason }) => ({ model: modelOf(name), file: dir, field: name, reason })),
      ...parts.flatMap((part) => part.unread),
    ],
    problems: [],
  };
}

/** The file or, of a model in a folder of its own, that folder: it gives the name. */
const namedBy = (dir: string, model: string): string => (model === join(dir, basename(model)) ? model : dirname(model));

/** A file whose name cannot be a model's is no model; the others go on. */
function dropUnnamable(dir: string, part: Part): Part {
  const faults = part.models.flatMap(({ name, model }) => {
    const reason = findNameFault(name);
    if (reason === undefined) return [];
    return [{ file: namedBy(dir, model), reason: `it is not served: ${reason}`, fix: 'Rename it.' }];
  });
  return {
    ...part,
    models: part.models.filter(({ name }) => findNameFault(name) === undefined),
    warnings: [...part.warnings, ...faults],
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
    return { dir, ...dropUnnamable(dir, await scan(dir)) };
  } catch (error) {
    const problem = { file: dir, reason: explain(error), fix: 'Name a folder that holds GGUF files.' };
    return { dir, ...NOTHING, problems: [problem] };
  }
}
