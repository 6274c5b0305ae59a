import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle, NODE_FLAGS } from '../../../scripts/bundle.ts';
import { tempFolder, type Cleanup } from '../../support/temp-folder.ts';

/** Corral as the npm package and the image have it, which starts in half the time. Returns the command without a subcommand. */
export async function buildProgram(t: Cleanup): Promise<readonly string[]> {
  const folder = await tempFolder(t);
  const dist = join(folder, 'dist');
  await mkdir(dist);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  for (const [name, text] of bundle('src/main.ts')) await writeFile(join(dist, name), text);
  return [process.execPath, ...NODE_FLAGS, join(dist, 'main.js')];
}
