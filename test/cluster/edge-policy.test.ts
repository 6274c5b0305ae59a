import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { ApiClient, RefusedCall } from './support/api-client.ts';
import type { ApiObject } from './support/api-client.ts';
import { GROUP, SYSTEM } from './support/corral-names.ts';
import { beforeEnd } from './support/cluster.ts';
import { componentToken } from './support/create-token.ts';
import { LEASES, OPERATOR_LEASE } from './support/operator-lease.ts';
import { waitUntil } from './support/wait-until.ts';
import { withCorral } from './support/with-corral.ts';
import type { CorralInCluster } from './support/corral-in-cluster.ts';

const REPORTS = `${GROUP}/namespaces/${SYSTEM}/edgereports`;
const PODS = `/api/v1/namespaces/${SYSTEM}/pods`;
/** Nothing of what is tried is stored, and all of it is judged. */
const TRIED = '?dryRun=All';

const lease = (name: string): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { holderIdentity: 'an edge' },
});

const report = (name: string, podUid: string): object => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind: 'EdgeReport',
  metadata: { name },
  report: {
    ...{ edge: { podName: name, podUid }, bootId: 'a-boot', sequence: 0 },
    ...{ models: [], replicas: [], acks: [], orders: [] },
  },
});

/** A pod of the ServiceAccount of the edges, which no node takes. */
const idleEdge = (image: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'corral-edge-idle' },
  spec: {
    serviceAccountName: 'corral-edge',
    nodeSelector: { 'corral.test/node': 'none' },
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        ...{ name: 'edge', image },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
});

describe('the policy of the edges', { timeout: 120_000 }, () => {
  let corral: CorralInCluster;
  /** The edge that serves, and one that does not run. */
  let serving: ApiObject;
  let idle: ApiObject;
  let asIdle: ApiClient;
  let asNoPod: ApiClient;

  /** Somebody with a token of the edges' ServiceAccount, made for a pod or for none. */
  const edgeOf = async (pod?: ApiObject): Promise<ApiClient> => {
    const { cluster } = corral;
    const token = await componentToken(cluster.api, 'edge', pod);
    const client = new ApiClient({ server: cluster.server, token, ca: readFileSync(cluster.caFile, 'utf8') });
    beforeEnd.after(async () => client.close());
    return client;
  };

  before(async () => {
    corral = await withCorral();
    const { api } = corral.cluster;
    serving = (await corral.edge()).pod;
    await api.call('POST', PODS, idleEdge(corral.image));
    beforeEnd.after(async () => {
      await api.call('DELETE', `${PODS}/corral-edge-idle`, { gracePeriodSeconds: 0 });
    });
    idle = (await api.find(PODS, 'corral-edge-idle')) ?? assert.fail('it is gone');
    asIdle = await edgeOf(idle);
    asNoPod = await edgeOf();
    // The API server takes a policy some moments after it was created.
    await waitUntil('the policy is in force', 60, async () =>
      asNoPod.call('POST', `${LEASES}${TRIED}`, lease('any')).then(() => false, isRefusal),
    );
  });

  const isRefusal = (error: unknown): boolean => error instanceof RefusedCall && error.status === 403;

  const refuses = async (call: Promise<unknown>, because: RegExp): Promise<void> => {
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof RefusedCall && error.status === 403, String(error));
      assert.match(error.answer, because);
      return true;
    });
  };

  /** Writes back what is there; again if its owner has written it meanwhile. */
  const update = async (edge: ApiClient, collection: string, name: string): Promise<unknown> => {
    for (;;) {
      const there = await corral.cluster.api.find(collection, name);
      const answer = await edge.call('PUT', `${collection}/${name}${TRIED}`, there).catch((error: unknown) => {
        if (error instanceof RefusedCall && error.status === 409) return 'conflict';
        throw error;
      });
      if (answer !== 'conflict') return answer;
    }
  };

  it('lets an edge create what has the name of its pod', async () => {
    const { name, uid } = idle.metadata;
    await asIdle.call('POST', `${LEASES}${TRIED}`, lease(name));
    await asIdle.call('POST', `${REPORTS}${TRIED}`, report(name, uid));
  });

  it('refuses what has another name, and says which pod may write what', async () => {
    const { name, uid } = serving.metadata;
    const because = (resource: string, other: string): RegExp =>
      new RegExp(`the edge in pod corral-edge-idle may write its own ${resource} only.* not ${other}"`, 'u');
    await refuses(asIdle.call('POST', `${LEASES}${TRIED}`, lease('another')), because('leases', 'another'));
    await refuses(asIdle.call('POST', `${REPORTS}${TRIED}`, report('another', uid)), because('edgereports', 'another'));
    await corral.leader();
    for (const [collection, resource, there] of [
      [LEASES, 'leases', name],
      [REPORTS, 'edgereports', name],
      [LEASES, 'leases', OPERATOR_LEASE],
    ] as const) {
      await refuses(update(asIdle, collection, there), because(resource, there));
      await refuses(asIdle.call('DELETE', `${collection}/${there}${TRIED}`), because(resource, there));
    }
  });

  it('refuses a report of its name that speaks for another pod', async () => {
    const other = serving.metadata.uid;
    const because = new RegExp(`may report for its own pod only, whose uid is ${idle.metadata.uid}, and not for ${other}`, 'u'); // prettier-ignore
    await refuses(asIdle.call('POST', `${REPORTS}${TRIED}`, report(idle.metadata.name, other)), because);
  });

  it('refuses a token that belongs to no pod, and says so', async () => {
    const because = /token of the ServiceAccount corral-edge belongs to no pod/u;
    await refuses(asNoPod.call('POST', `${LEASES}${TRIED}`, lease('any')), because);
    await refuses(asNoPod.call('POST', `${REPORTS}${TRIED}`, report('any', 'any')), because);
  });

  it('does not concern those who are no edge', async () => {
    const { api } = corral.cluster;
    await api.call('POST', `${LEASES}${TRIED}`, lease('any'));
    await api.call('DELETE', `${REPORTS}/${serving.metadata.name}${TRIED}`);
  });
});
