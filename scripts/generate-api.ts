/**
 * Writes crds/*.yaml and docs/api.md from the schemas and rules of src/api, docs/openapi.json from the endpoints of src/edge, and
 * docs/reasons.md from the reasons of src/operator.
 *
 *     node scripts/generate-api.ts [--check]
 *
 * --check compares instead: 0 if all are up to date, 1 if not.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { KINDS } from '../src/api/crd/kinds.ts';
import { renderApiReference } from '../src/api/crd/render-api-reference.ts';
import { renderCrd } from '../src/api/crd/render-crd.ts';
import { readVersion } from '../src/cli/version.ts';
import { CLOSED_NAMES } from '../src/edge/endpoints.ts';
import { renderOpenApi } from '../src/edge/openapi/render-open-api.ts';
import { renderReasons } from '../src/operator/render-reasons.ts';

const root = join(import.meta.dirname, '..');

const files: ReadonlyMap<string, string> = new Map([
  ...KINDS.map((kind) => [`crds/${kind.plural}.corral.dev.yaml`, renderCrd(kind)] as const),
  ['docs/api.md', renderApiReference(KINDS)],
  ['docs/reasons.md', renderReasons()],
  ['docs/openapi.json', renderOpenApi({ version: readVersion(), opened: CLOSED_NAMES })],
]);

/** CRDs of kinds that are no more. */
const left = (): string[] => globSync('crds/*', { cwd: root }).filter((file) => !files.has(file));

function read(file: string): string | undefined {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return undefined;
  }
}

function check(): number {
  const stale = [...files].filter(([file, text]) => read(file) !== text).map(([file]) => file);
  for (const file of [...stale, ...left()]) process.stderr.write(`${file} is out of date: npm run generate\n`);
  return stale.length + left().length === 0 ? 0 : 1;
}

function write(): number {
  for (const [file, text] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  for (const file of left()) rmSync(join(root, file));
  return 0;
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
process.exitCode = values.check ? check() : write();
