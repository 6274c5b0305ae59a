import type { ApiObject } from '../../cluster/support/api-client.ts';
import { SYSTEM, type Component } from '../../cluster/support/corral-names.ts';
import { isReady, type TestCluster } from '../../cluster/support/test-cluster.ts';
import type { Mirror } from '../operator-trials/mirror.ts';
import { RESTRICTED } from '../operator-trials/paper-edge.ts';
import { PAPER_NODE } from '../operator-trials/paper-kubelet.ts';

/** Makes the object of a pod of Corral's own on the paper node, for a process beside it. Resolves when it is ready. */
export async function makeSystemPod(
  { api }: TestCluster,
  pods: Mirror,
  { name, component }: { readonly name: string; readonly component: Component },
): Promise<ApiObject> {
  const labels = { 'app.kubernetes.io/name': `corral-${component}` };
  const place = {
    nodeName: PAPER_NODE,
    serviceAccountName: `corral-${component}`,
    automountServiceAccountToken: false,
  };
  await api.call('POST', `/api/v1/namespaces/${SYSTEM}/pods`, {
    metadata: { name, labels },
    spec: { ...RESTRICTED, ...place },
  });
  return pods.until(`the pod ${name}`, () => pods.objects.find((pod) => pod.metadata.name === name && isReady(pod)));
}
