import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, NODE_FLAGS } from '../../../scripts/bundle.ts';

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

/** As they are in a checkout. */
export const sourcePrograms = (): Programs => ({
  corral: [join(root, 'src/main.ts')],
  bareProxy: join(root, EDGE_BENCH, 'bare-proxy.ts'),
  probe: pathToFileURL(join(root, EDGE_BENCH, 'probe.ts')).href,
});

/**
 * Bundled below `folder`, Corral as in the npm package and the bare proxy likewise: loading packages in many files, and stripping
 * types, takes memory that no user's Corral has.
 */
export function buildPrograms(folder: string): Programs {
  const built = join(folder, 'programs');
  mkdirSync(built);
  copyFileSync(join(root, 'package.json'), join(built, 'package.json'));
  return {
    corral: [...NODE_FLAGS, write(join(built, 'corral'), 'src/main.ts', 'main.js')],
    bareProxy: write(join(built, 'bare-proxy'), `${EDGE_BENCH}/bare-proxy.ts`, 'bare-proxy.js'),
    probe: pathToFileURL(write(join(built, 'probe'), `${EDGE_BENCH}/probe.ts`, 'probe.js')).href,
  };
}

/** Writes a program's bundle into a new folder, and tells the path of the file to run. */
function write(folder: string, program: string, main: string): string {
  mkdirSync(folder);
  for (const [name, text] of bundle(program)) writeFileSync(join(folder, name), text);
  return join(folder, main);
}
