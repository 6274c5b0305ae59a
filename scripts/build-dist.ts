/**
 * Makes dist/ anew: Corral as the npm package has it. `npm pack` runs it and removes dist/ afterwards, which would come before src/.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const dist = join(import.meta.dirname, '../dist');

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const [name, text] of bundle('src/main.ts')) writeFileSync(join(dist, name), text);
