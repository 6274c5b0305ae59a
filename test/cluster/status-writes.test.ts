import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { MODEL_POOLS } from '../../src/api/cluster/resources.ts';
import { ApiError, type KubeApi } from '../../src/kube/kube-api.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import { createKubeApi } from '../../src/kube/transport.ts';
import { systemTimers } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { useCluster } from './support/cluster.ts';
import { GROUP } from './support/corral-names.ts';
import { declarePool } from './support/declare.ts';
import type { TestCluster } from './support/test-cluster.ts';

const REF = { namespace: undefined, name: 'made-anew' };
const PATH = `${GROUP}/modelpools/${REF.name}`;

const log = createLog({ pretty: false, level: 'warn', destination: process.stderr });

/** Corral's own client, as the administrator. */
function startClient(t: TestContext, { server, caFile, tokenFile }: TestCluster): KubeApi {
  const access = { server: new URL(server), caFile, tokenFile };
  const api = createKubeApi(access, { timers: systemTimers, log, userAgent: 'corral/test' });
  t.after(async () => api.close());
  return api;
}

const isRefused = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;

describe('a status, written to a real API server', { timeout: 60_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await useCluster();
    await cluster.deployCrds();
  });

  it('replaces what was said of this very object; not what a newer state or another object of its name says', async (t) => {
    const api = startClient(t, cluster);
    // No operator here writes a status of it.
    const declare = async (): Promise<KubeObject['metadata']> => {
      await declarePool(cluster.api, REF.name, { controllerName: 'example.com/other' });
      const pool = await api.get(MODEL_POOLS, REF);
      assert.ok(pool !== undefined);
      return pool.metadata;
    };
    const says = async (uid: string, resourceVersion: string | undefined, status: object): Promise<unknown> =>
      (await api.replaceStatus(MODEL_POOLS, REF, { uid, resourceVersion, status: { ...status } }))['status'];

    const first = await declare();
    t.after(async () => cluster.api.call('DELETE', PATH));
    const { uid, resourceVersion } = first;
    assert.deepEqual(await says(uid, resourceVersion, { loaded: 1, waiting: 2 }), { loaded: 1, waiting: 2 });
    await assert.rejects(says(uid, resourceVersion, { loaded: 3 }), isRefused(409));
    assert.deepEqual(await says(uid, undefined, { loaded: 0 }), { loaded: 0 });

    await cluster.api.call('DELETE', PATH);
    await assert.rejects(says(uid, undefined, { loaded: 4 }), isRefused(404));
    const second = await declare();
    for (const version of [undefined, resourceVersion, second.resourceVersion])
      await assert.rejects(says(uid, version, { loaded: 5 }), isRefused(422), version);
    assert.equal((await api.get(MODEL_POOLS, REF))?.['status'], undefined);
  });
});
