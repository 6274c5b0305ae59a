import { chmod, copyFile, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { basename, join, posix, sep } from 'node:path';
import { findExecutable } from './find-executable.ts';
import { runStep } from './run-command.ts';
import type { OnLine } from './run-command.ts';
import type { Search } from './search.ts';

/**
 * Unpacks what was downloaded into a new folder: a tar archive packed by gzip, or a bare program, told apart by their
 * first bytes (a URL's name says little after a redirect). Throws an Error for anything else, and for an archive with an
 * entry that would reach outside the folder.
 */
export async function unpackArchive(file: string, into: string, search: Search): Promise<void> {
  await mkdir(into);
  const kind = kindOf(await firstBytes(file));
  if (kind === 'program') return placeProgram(file, join(into, 'llama-server'));
  if (kind === 'zip')
    throw new Error('it is a zip archive: only .tar.gz and a bare program can be used, so pack it anew');
  if (kind === 'unknown') throw new Error('it is neither a .tar.gz archive nor a program');
  if (findExecutable('tar', search.env) === undefined)
    throw new Error('it is a .tar.gz archive, and tar is not on PATH');
  const escaping = findEscapingEntry(await listEntries(file, '-tzf', search), await listEntries(file, '-tvzf', search));
  if (escaping !== undefined) throw new Error(`its entry ${escaping} would reach outside the folder it is unpacked in`);
  await runTar(['-xzf', file, '-C', into, '--no-same-owner'], 'unpacking the archive', search);
}

async function placeProgram(file: string, path: string): Promise<void> {
  await copyFile(file, path);
  await chmod(path, 0o755);
}

async function firstBytes(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead).toString('hex');
  } finally {
    await handle.close();
  }
}

/** ELF; Mach-O of 64 bits, and the same for several machines; a script. */
const PROGRAMS = ['7f454c46', 'cffaedfe', 'cafebabe', '2321'];

function kindOf(magic: string): 'tar.gz' | 'zip' | 'program' | 'unknown' {
  if (magic.startsWith('1f8b')) return 'tar.gz';
  if (magic === '504b0304') return 'zip';
  return PROGRAMS.some((start) => magic.startsWith(start)) ? 'program' : 'unknown';
}

async function listEntries(file: string, option: '-tzf' | '-tvzf', search: Search): Promise<readonly string[]> {
  const lines: string[] = [];
  await runTar([option, file], 'listing the archive', search, (line, from) => {
    if (from === 'stdout') lines.push(line);
  });
  return lines;
}

async function runTar(args: readonly string[], what: string, search: Search, onLine?: OnLine): Promise<void> {
  await runStep(
    what,
    {
      argv: ['tar', ...args],
      cwd: search.cache,
      env: { ...search.env, LC_ALL: 'C' },
      timeout: search.limits.unpack,
      signal: search.signal,
      ...(onLine === undefined ? {} : { onLine }),
    },
    search.run,
  );
}

/**
 * The first entry that could write or point outside of the folder an archive is unpacked in, or `undefined`. tar itself
 * refuses most of them; this is decided before anything is written, and does not depend on whose tar it is.
 *
 * `names` are the lines of `tar -t`, `details` those of `tar -tv`: the same entries in the same order, where a line
 * begins with the entry's type and ends, for a link, with the name, an arrow and the target.
 */
export function findEscapingEntry(names: readonly string[], details: readonly string[]): string | undefined {
  if (names.length !== details.length) return `list, of which tar gives ${names.length} and ${details.length} lines,`;
  const symbolic = new Set<string>();
  for (const [index, name] of names.entries()) {
    const path = posix.normalize(name);
    if (leavesFolder(path) || isBelowAny(path, symbolic) || linkLeaves(name, details[index])) return name;
    if (details[index]?.startsWith('l') === true) symbolic.add(path.replace(/\/$/, ''));
  }
  return undefined;
}

const leavesFolder = (path: string): boolean => path === '..' || path.startsWith('../') || posix.isAbsolute(path);

/** What is written below a link lands wherever the link points. */
function isBelowAny(path: string, links: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  return parts.some((_, length) => links.has(parts.slice(0, length).join('/')));
}

/** Only files, folders and links are known; a link's target must lie inside as well. */
function linkLeaves(name: string, detail: string | undefined): boolean {
  if (detail === undefined) return true;
  const type = detail.charAt(0);
  if (type === 'l') return targetLeaves(detail, `${name} -> `, posix.dirname(name));
  if (type === 'h' || detail.includes(`${name} link to `)) return targetLeaves(detail, `${name} link to `, '.');
  return type !== '-' && type !== 'd';
}

function targetLeaves(detail: string, arrow: string, base: string): boolean {
  const at = detail.indexOf(arrow);
  if (at === -1) return true;
  const target = detail.slice(at + arrow.length);
  return posix.isAbsolute(target) || leavesFolder(posix.join(base, target));
}

/** The llama-server nearest to the root of an unpacked archive; one that links outside of it does not count. */
export async function findUnpackedServer(folder: string): Promise<string | undefined> {
  const root = await realpath(folder);
  const all = await readdir(root, { recursive: true });
  const named = all.filter((name) => basename(name) === 'llama-server').sort(byDepth);
  for (const name of named) {
    const path = await realpath(join(root, name));
    if (path.startsWith(root + sep)) return join(root, name);
  }
  return undefined;
}

function byDepth(a: string, b: string): number {
  const deeper = a.split(sep).length - b.split(sep).length;
  if (deeper !== 0) return deeper;
  return a < b ? -1 : 1;
}
