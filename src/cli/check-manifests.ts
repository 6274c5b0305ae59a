import type { Writable } from 'node:stream';
import { buildCatalog, type CatalogInput } from '../api/catalog.ts';
import type { ArgItem } from '../api/llama-options.ts';
import { formatProblem, type Problem } from '../api/problem.ts';
import { readManifests, type ReadManifest } from '../api/read-manifests.ts';
import { readSources } from '../api/read-sources.ts';
import { presetUid } from '../domain/ids.ts';
import { settingsOf } from './catalog-reader.ts';
import type { ServeFlags } from './serve-options.ts';

/** What `corral serve --check` says of manifests. */
export interface CheckedManifests {
  /** One line for each object that an API server would accept. */
  readonly valid: readonly string[];
  /** One line for each fault for which it would refuse one. */
  readonly problems: readonly string[];
  /** What is worth knowing beside the verdict: what `corral serve` would refuse, what has no effect there, or a pool that is missing. */
  readonly notes: readonly string[];
}

function nameOf({ kind, object }: ReadManifest): string {
  const { name, namespace } = object.metadata;
  return namespace === undefined || kind === 'ModelPool' ? name : `${namespace}/${name}`;
}

/** Who refuses what an API server takes. */
const verdictOf = ({ condition }: Problem): string =>
  condition === undefined
    ? 'corral serve refuses this, a cluster does not'
    : `a cluster takes this and does not run it (${condition}), corral serve refuses it`;

/** Gives each object of the manifests the verdict of an API server that has Corral's CRDs. */
export function checkManifests({ sources, settings }: Pick<CatalogInput, 'sources' | 'settings'>): CheckedManifests {
  const read = sources.manifests.map(({ file, text }) => ({ file, ...readManifests(text, file) }));
  const problems = [...sources.problems, ...read.flatMap((one) => one.problems)].map(formatProblem);
  const served = buildCatalog({ sources, settings, previous: undefined }, () => presetUid('checked'));
  const refused = served.ok ? [] : served.problems.filter((problem) => !problems.includes(formatProblem(problem)));
  return {
    valid: read.flatMap(({ file, manifests }) =>
      manifests.map((manifest) => `${file}: ${manifest.kind} ${nameOf(manifest)}: valid`),
    ),
    problems,
    notes: [
      ...refused.map((problem) => `${verdictOf(problem)}: ${formatProblem(problem)}`),
      ...served.warnings.map(formatProblem),
      ...served.withoutEffect.map(
        ({ file, field, reason }) => `${file}: ${field}: no effect in corral serve: ${reason}`,
      ),
    ],
  };
}

const write = (stream: Writable, lines: readonly string[]): void => {
  for (const line of lines) stream.write(`${line}\n`);
};

/**
 * `corral serve --check`: prints the verdict on the manifests that the flags name, what is wrong with them on stderr, and starts
 * nothing. Returns whether all is valid.
 */
export async function runCheck(
  flags: ServeFlags,
  args: readonly ArgItem[],
  { stdout, stderr }: { readonly stdout: Writable; readonly stderr: Writable },
): Promise<boolean> {
  if (flags.filename.length === 0) {
    write(stderr, ['corral serve: --check reads manifests. Name them with -f.']);
    return false;
  }
  const sources = await readSources({ modelsDir: undefined, modelsPreset: undefined, manifests: flags.filename });
  const { valid, problems, notes } = checkManifests({ sources, settings: settingsOf(flags, args) });
  write(stdout, [...valid, ...notes.map((note) => `note: ${note}`)]);
  write(
    stderr,
    problems.map((problem) => `corral serve: ${problem}`),
  );
  return problems.length === 0;
}
