import { readFileSync } from 'node:fs';

/** Corral's version, from its package.json: two folders up, in a checkout (src/cli) and in the package (dist/cli). */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new Error('package.json names no version');
}
