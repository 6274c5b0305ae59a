import type { ApiClient } from './api-client.ts';
import { SYSTEM } from './corral-names.ts';

/** Where the API server has the Leases of Corral's own. */
export const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases`;
/** By which the operators agree on who leads. */
export const OPERATOR_LEASE = 'corral-operator';

/** Makes the Lease as one that was given back: in a new cluster, and when the operator that it names is known to be dead. */
export async function freeLease(api: ApiClient): Promise<void> {
  const spec = { holderIdentity: '', leaseDurationSeconds: null };
  if ((await api.find(LEASES, OPERATOR_LEASE)) !== undefined)
    await api.call('PATCH', `${LEASES}/${OPERATOR_LEASE}`, { spec });
  else await api.call('POST', LEASES, { metadata: { name: OPERATOR_LEASE }, spec: { holderIdentity: '' } });
}
