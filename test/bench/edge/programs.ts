import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Cleanup } from '../../support/temp-folder.ts';

/** What of ours is measured. */
export interface Programs {
  /** Node's arguments before Corral's own. */
  readonly corral: readonly string[];
  readonly bareProxy: string;
  /** The URL of the module to load into a contestant that runs on Node. */
  readonly probe: string;
}

const root = resolve(import.meta.dirname, '../../..');
const EDGE_BENCH = 'test/bench/edge';

const programsIn = (folder: string, extension: 'js' | 'ts', flags: readonly string[]): Programs => ({
  corral: [...flags, join(folder, `src/main.${extension}`)],
  bareProxy: join(folder, EDGE_BENCH, `bare-proxy.${extension}`),
  probe: pathToFileURL(join(folder, EDGE_BENCH, `probe.${extension}`)).href,
});

/** As they are in a checkout. */
export const sourcePrograms = (): Programs => programsIn(root, 'ts', []);

/** Compiled as for the npm package, which takes some seconds: stripping types takes memory that no user's Corral has. */
export function buildPrograms(t: Cleanup): Programs {
  const folder = makeFolder(t);
  const project = join(folder, 'tsconfig.json');
  const include = [join(root, 'src'), ...['bare-proxy', 'probe'].map((name) => join(root, EDGE_BENCH, `${name}.ts`))];
  const compilerOptions = { rootDir: root, outDir: folder, typeRoots: [join(root, 'node_modules/@types')] };
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.build.json'), compilerOptions, include }));
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', project]);
  return programsIn(folder, 'js', ['--enable-source-maps', '--max-semi-space-size=4']);
}

/** A folder of its own below node_modules, so that the packages are found from it. */
function makeFolder(t: Cleanup): string {
  const parent = join(root, 'node_modules/.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'edge-bench-'));
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  });
  return folder;
}
