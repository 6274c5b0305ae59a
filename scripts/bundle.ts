import { buildSync, type Metafile } from 'esbuild';
import { basename, join } from 'node:path';
import { packageFolderOf, renderNotices } from './notices.ts';
import { leanSourceMap } from './lean-source-map.ts';

const root = join(import.meta.dirname, '..');

/** The file of a bundle with the licences of the packages in it. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** How Node is to run Corral's bundle. bin/corral says why, and has the same: a test compares them. */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4'];

/** Packages that are no ES modules ask for Node's modules by require(), which an ES module has not got. */
const REQUIRE = `import { createRequire as corralCreateRequire } from 'node:module';
const require = corralCreateRequire(import.meta.url);`;

/**
 * A program of ours, named by its source from the project's folder (`src/main.ts`), with all of the packages that it uses: the
 * texts of its files by their names. `main.js` is to be run in a folder whose package.json says that .js files are ES modules.
 * What the program imports only when it is needed is in files of its own. The source maps, which Node reads where it is run with
 * --enable-source-maps, tell files and lines of ours; the same sources make the same bytes. Throws with esbuild's words on what cannot be bundled, and for a package without a licence.
 */
export function bundle(program: string): ReadonlyMap<string, string> {
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [program],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    // The oldest Node of `engines`.
    target: 'node22.19',
    banner: { js: REQUIRE },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'eof',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const programs = [...texts].filter(([name]) => name.endsWith('.js'));
  const files = programs.flatMap(([name, text]) => withLeanMap(name, text, texts.get(`${name}.map`)));
  return new Map([...files, [NOTICES, renderNotices(packageFoldersIn(metafile))]]);
}

/** A file of the program and its map; it names none if it has none. */
function withLeanMap(name: string, text: string, map: string | undefined): readonly (readonly [string, string])[] {
  if (map === undefined) throw new Error(`esbuild has made no source map of ${name}`);
  const lean = leanSourceMap(map);
  if (lean !== undefined) return [[name, text], [`${name}.map`, lean]]; // prettier-ignore
  return [[name, text.replace(/^\/\/# sourceMappingURL=.*\n$/mu, '')]];
}

/** Of the packages of which something is in the output: what nobody uses is left out. */
function packageFoldersIn({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = inputs.map(packageFolderOf).filter((folder) => folder !== undefined);
  return [...new Set(folders)].map((folder) => join(root, folder));
}
