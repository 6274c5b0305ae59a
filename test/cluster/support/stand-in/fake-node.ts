import { asObject, type ApiClient } from '../api-client.ts';
import { isReady } from '../test-cluster.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const RENEW_EVERY_MS = 2_000;

/**
 * Registers a node that is ready, whose kubelet would listen on `port`, and keeps its lease alive. With a taint it takes only pods that tolerate
 * it. Returns what ends its life.
 */
export async function registerNode(api: ApiClient, name: string, port: number, taint?: string): Promise<() => void> {
  const resources = { cpu: '64', memory: '256Gi', pods: '200', 'ephemeral-storage': '100Gi' };
  const taints = taint === undefined ? [] : [{ key: taint, effect: 'NoSchedule' }];
  await api.call('POST', '/api/v1/nodes', { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: { taints } }); // prettier-ignore
  const now = new Date().toISOString();
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'StandIn',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
  const daemonEndpoints = { kubeletEndpoint: { Port: port } };
  const status = { capacity: resources, allocatable: resources, conditions: [condition], addresses, daemonEndpoints };
  await api.call('PATCH', `/api/v1/nodes/${name}/status`, { status });
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() };
  await api.call('POST', LEASES, { metadata: { name, namespace: 'kube-node-lease' }, spec });
  const renew = async (): Promise<void> => {
    await api.call('PATCH', `${LEASES}/${name}`, { spec: { renewTime: microTime() } });
    // Whose heartbeats were missed, while there was no API server, is called silent by others until it says otherwise.
    const seen = await api.call('GET', `/api/v1/nodes/${name}`);
    if (!isReady(asObject(seen))) await api.call('PATCH', `/api/v1/nodes/${name}/status`, { status });
  };
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY_MS).unref();
  return () => {
    clearInterval(timer);
  };
}

/** Leases have microseconds. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
