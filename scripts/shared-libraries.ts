import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import type { ImageFile } from './oci-image.ts';

/**
 * A program of this machine with the libraries that it is linked with, for an image without a distribution: each library
 * lies there under the path by which the loader looks for it. Throws if the program does not run here.
 */
export function programWithLibraries(program: string, at: string): ReadonlyMap<string, ImageFile> {
  const listing = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (listing.error !== undefined) throw listing.error;
  const own: [string, ImageFile] = [at, { from: realpathSync(program), mode: 0o755 }];
  // A static program: ldd says so, and fails.
  if (/not a dynamic executable|statically linked/u.test(listing.stdout + listing.stderr)) return new Map([own]);
  if (listing.status !== 0 || listing.stdout.includes('not found')) throw new Error(`${program}: ${listing.stdout}${listing.stderr}`); // prettier-ignore
  const libraries = [...listing.stdout.matchAll(/(?<path>\/\S+) \(0x/gu)].map((match) => match[1]);
  const files = libraries.filter((path) => path !== undefined);
  return new Map([own, ...files.map((path): [string, ImageFile] => [path, { from: realpathSync(path), mode: 0o755 }])]);
}
