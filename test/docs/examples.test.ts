import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { NOTHING_GRANTED } from '../../src/api/cluster/grant-names.ts';
import { acceptAll, catalogOf } from '../../src/api/cluster/accept.ts';
import { decodeDeployment, decodePool } from '../../src/api/cluster/decode-objects.ts';
import { buildCatalog, type CatalogResult } from '../../src/api/catalog.ts';
import { decodeKeys } from '../../src/api/decode-keys.ts';
import { readManifests } from '../../src/api/read-manifests.ts';
import type { Sources } from '../../src/api/read-sources.ts';
import { createJudge } from '../../src/api/cluster/judge-deployment.ts';
import { KEY_BYTES, makeKey } from '../../src/cli/make-key.ts';
import { renderPodTemplate } from '../../src/backend/kubernetes/render-pod-template.ts';
import { presetUid } from '../../src/domain/ids.ts';
import { milliseconds } from '../../src/domain/units.ts';
import type { KubeObject, ObjectMeta } from '../../src/kube/kube-object.ts';
import { readText } from './support/markdown.ts';

const NOTHING: Sources = { modelsDir: undefined, presets: undefined, manifests: [], problems: [] };
const settings = { args: [], idleTimeout: milliseconds(0), autoload: true, maxLoaded: undefined };

const build = (sources: Partial<Sources>): CatalogResult =>
  buildCatalog({ sources: { ...NOTHING, ...sources }, settings, previous: undefined }, () => presetUid('any'));

const modelsOf = (result: CatalogResult): string[] => {
  if (!result.ok) assert.fail(JSON.stringify(result.problems));
  assert.deepEqual(result.withoutEffect, []);
  return result.catalog.presets.map(({ model }) => model);
};

/** As an API server would have it after `kubectl apply`. */
function applied(object: KubeObject): KubeObject {
  const server = { uid: 'uid', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
  const metadata: ObjectMeta = { namespace: 'default', ...server, ...object.metadata };
  return { ...object, metadata };
}

describe('examples', () => {
  it('cluster.yaml is taken by an API server as it is, and all of it is run', () => {
    const file = 'examples/cluster.yaml';
    const text = readText(file);
    assert.deepEqual(readManifests(text, file).problems, []);
    const objects = parseAllDocuments(text).map((document) => applied(document.toJS() as KubeObject));
    const [pool, deployment] = objects;
    assert.ok(pool !== undefined && deployment !== undefined && objects.length === 2);
    const acceptance = acceptAll({
      deployments: [decodeDeployment(deployment)],
      pools: [decodePool(pool)],
      namespaces: new Map(),
      before: NOTHING_GRANTED,
      judge: createJudge(renderPodTemplate),
    });
    const models = catalogOf(acceptance).presets.map(({ model }) => model);
    assert.deepEqual(models, ['Qwen/Qwen3-8B-GGUF:Q4_K_M', 'gpt-oss-120b']);
  });

  it('models.ini can be served as it is, but for its paths', () => {
    const file = 'examples/models.ini';
    const models = modelsOf(build({ presets: { file, text: readText(file) } }));
    assert.deepEqual(models, ['qwen3-8b', 'gpt-oss-120b', 'embedding']);
  });

  it('models.yaml can be served as it is, but for its paths', () => {
    const file = 'examples/models.yaml';
    const result = build({ manifests: [{ file, text: readText(file) }] });
    assert.deepEqual(modelsOf(result), ['Qwen/Qwen3-8B-GGUF:Q4_K_M', 'gpt-oss-120b', 'embedding']);
    assert.deepEqual(result.ok && result.catalog.pools.map(({ name, maxLoaded }) => [name, maxLoaded]), [
      ['default', 2],
    ]);
  });

  it('keys.yaml is taken as it is, and nobody has its keys', () => {
    const decoded = decodeKeys({ file: 'examples/keys.yaml', text: readText('examples/keys.yaml') });
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.deepEqual(
      decoded.keys.map(({ key }) => key.id),
      ['admin', 'ci', 'team-search'],
    );
  });

  it('keys.yaml takes what corral key adds to its end', () => {
    const { entry } = makeKey({ id: 'new' }, Buffer.alloc(KEY_BYTES));
    const decoded = decodeKeys({ file: 'examples/keys.yaml', text: readText('examples/keys.yaml') + entry });
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.equal(decoded.keys.at(-1)?.key.id, 'new');
  });

  it('can be served together, once their names differ', () => {
    const text = readText('examples/models.ini')
      .replaceAll(/^\[(?=\w)/gmu, '[ini-')
      .replace(/^alias.*$/mu, '');
    const manifest = { file: 'examples/models.yaml', text: readText('examples/models.yaml') };
    assert.equal(modelsOf(build({ presets: { file: 'examples/models.ini', text }, manifests: [manifest] })).length, 6);
  });
});
