import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';

const ManifestSchema = Type.Object({ name: Type.String(), version: Type.String(), license: Type.String() });

/** Files whose text has to go along with the code: licences, and the NOTICE of Apache-2.0 4 (d). */
const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)(?:[.-].*)?$/iu;

const HEADING = `Corral contains code of these packages, each under its own licence.\n`;
const RULE = `\n${'-'.repeat(80)}\n\n`;

/** The folder of the package that a path leads into, `undefined` for a path into no package. */
export const packageFolderOf = (path: string): string | undefined =>
  /^.*(?<=^|\/)node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(path)?.[0];

/**
 * Names, versions and licences of the packages in these folders, with the texts that the licences want to be passed on, in the
 * order of their names. Throws for a package that has no file with a licence.
 */
export function renderNotices(folders: readonly string[]): string {
  const notices = folders.map(noticeOf).toSorted();
  return [HEADING, ...notices].join(RULE);
}

function noticeOf(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = Value.Parse(ManifestSchema, manifest);
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  if (files.length === 0)
    throw new Error(`${folder} has no file with its licence, which has to be passed on with its code`);
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
}
