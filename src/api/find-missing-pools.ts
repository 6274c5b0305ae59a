import { DEFAULT_POOL } from './decode-settings.ts';
import { readMember } from './field-path.ts';
import { suggest } from './nearest.ts';
import type { Warning } from './problem.ts';
import type { YamlDocument } from './read-yaml.ts';

const valueAt = (document: YamlDocument, ...path: readonly string[]): unknown =>
  path.reduce(readMember, document.value);

const ofKind = (documents: readonly YamlDocument[], kind: string): YamlDocument[] =>
  documents.filter((document) => valueAt(document, 'kind') === kind);

function judgePool(document: YamlDocument, declared: ReadonlySet<unknown>): Warning[] {
  const pool = valueAt(document, 'spec', 'pool');
  if (typeof pool !== 'string' || declared.has(pool)) return [];
  const reason = `no ModelPool ${pool} is declared in these manifests: where there is none of that name, requests for its models are answered 503 pool_not_found`;
  const names = [...declared].filter((name) => typeof name === 'string');
  return [
    { ...document.siteOfValue(['spec', 'pool']), reason, fix: 'Declare it, or name another.', ...suggest(pool, names) },
  ];
}

/**
 * Deployments in pools that nothing declares: most likely a name is mistyped, and only a request would tell. In a cluster the
 * pool may have been applied before, which the words allow for. What is wrong with an object otherwise does not matter: a pool
 * that is refused is not missing.
 */
export function findMissingPools(documents: readonly YamlDocument[]): Warning[] {
  const pools = ofKind(documents, 'ModelPool').map((document) => valueAt(document, 'metadata', 'name'));
  const declared = new Set([DEFAULT_POOL, ...pools]);
  return ofKind(documents, 'ModelDeployment').flatMap((document) => judgePool(document, declared));
}
