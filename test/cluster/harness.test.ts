import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { before, describe, it } from 'node:test';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';
import type { ApiObject } from './support/api-client.ts';
import { useCluster } from './support/cluster.ts';
import { isReady } from './support/test-cluster.ts';
import type { TestCluster } from './support/test-cluster.ts';

const GPU = 'example.com/gpu';

interface PodStatus {
  readonly phase: string;
  readonly podIP: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  readonly containerStatuses: readonly { readonly state: { readonly terminated?: { readonly message: string } } }[];
}
const statusOf = (pod: ApiObject | undefined): PodStatus => pod?.['status'] as PodStatus;

describe('the cluster of the tests', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await useCluster();
  });

  /** A pod with one container, from our image of llama-server. */
  const createPod = async (namespace: string, name: string, container: object, spec: object = {}): Promise<string> => {
    const image = await cluster.image('llama-server');
    const containers = [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', ...container }];
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    await cluster.api.call('POST', pods, { metadata: { name }, spec: { restartPolicy: 'Never', containers, ...spec } });
    return pods;
  };

  it('runs a llama-server in a pod that answers at the address of the pod', async (t) => {
    const namespace = await cluster.namespace(t);
    const [model = ''] = await tinyModels(await tempFolder(t), ['tiny']);
    const container = {
      args: ['--host', '$(POD_IP)', '--port', '8080', '--model', '/models/tiny.gguf', '--threads', '1'],
      env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      readinessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'models', mountPath: '/models' }],
    };
    const volumes = [{ name: 'models', hostPath: { path: dirname(model) } }];
    const pods = await createPod(namespace, 'llama', container, { volumes });
    const { podIP } = statusOf(await cluster.api.until(pods, 'llama', isReady));
    const body = JSON.stringify({ prompt: 'hello', n_predict: 4 });
    const answer = await fetch(`http://${podIP}:8080/completion`, { method: 'POST', body });
    assert.equal(answer.status, 200);
    assert.equal(typeof ((await answer.json()) as { content: unknown }).content, 'string');
  });

  it('lets a pod call the API server as its service account, and keeps what it said last', async (t) => {
    const namespace = await cluster.namespace(t);
    const credentials = '/var/run/secrets/kubernetes.io/serviceaccount';
    const server = 'https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT';
    const script = `curl -sS --cacert "$0/ca.crt" -H "authorization: Bearer $(cat "$0/token")" ${server}/api/v1/secrets; exit 3`;
    const container = { command: ['sh', '-c', script, credentials], terminationMessagePolicy: 'FallbackToLogsOnError' };
    const pods = await createPod(namespace, 'caller', container);
    const pod = await cluster.api.until(pods, 'caller', (state) => statusOf(state).phase === 'Failed');
    const said = statusOf(pod).containerStatuses[0]?.state.terminated?.message;
    const refusal = new RegExp(`system:serviceaccount:${namespace}:default.*cannot list.*secrets`, 'u');
    assert.match(String(said), refusal);
    assert.match(await cluster.kubectl(['--namespace', namespace, 'logs', 'caller']), refusal);
  });

  it('has the scheduler keep to the capacity that was set', async (t) => {
    const namespace = await cluster.namespace(t);
    await cluster.setCapacity(GPU, 1);
    const container = { command: ['sleep', '600'], resources: { limits: { [GPU]: 1 } } };
    const pods = await createPod(namespace, 'first', container);
    await cluster.api.until(pods, 'first', isReady);
    await createPod(namespace, 'second', container);
    const refused = (pod: ApiObject | undefined): boolean =>
      statusOf(pod).conditions?.some(({ type, status, message }) => type === 'PodScheduled' && status === 'False' && message?.includes(GPU) === true) === true; // prettier-ignore
    await cluster.api.until(pods, 'second', refused);
    await cluster.api.call('DELETE', `${pods}/first`, { gracePeriodSeconds: 1 });
    await cluster.api.until(pods, 'second', isReady);
  });

  it('refuses a pod that its namespace forbids, and records who asked for what', async (t) => {
    const namespace = await cluster.namespace(t, { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await assert.rejects(createPod(namespace, 'lax', {}), { name: 'RefusedCall', status: 403 });
    const log = await cluster.auditLog();
    const asked = log.find(({ objectRef, verb }) => verb === 'create' && objectRef?.namespace === namespace && objectRef.resource === 'pods'); // prettier-ignore
    assert.equal(asked?.user.username, 'admin');
    assert.equal(asked.responseStatus?.code, 403);
    assert.equal((asked.requestObject as { metadata: { name: string } }).metadata.name, 'lax');
  });
});
