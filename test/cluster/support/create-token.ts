import type { ApiClient, ApiObject } from './api-client.ts';
import { SYSTEM, type Component } from './corral-names.ts';
import { textAt } from './field-at.ts';

/** For longer than any test, bench or proof takes. */
const SECONDS = 24 * 3600;

/** Enough of a pod to name it. */
interface PodId {
  readonly metadata: Pick<ApiObject['metadata'], 'name' | 'uid'>;
}

/** Whose token it is: a service account, with one of its pods or for itself. */
export interface TokenOwner {
  readonly namespace: string;
  readonly account: string;
  readonly pod?: PodId | undefined;
}

const referTo = ({ metadata: { name, uid } }: PodId): object => ({ apiVersion: 'v1', kind: 'Pod', name, uid });

/** A token as Kubernetes gives it: the API server knows by it whose it is. */
export async function createToken(api: ApiClient, { namespace, account, pod }: TokenOwner): Promise<string> {
  const bound = pod === undefined ? {} : { boundObjectRef: referTo(pod) };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const answer = await api.call('POST', path, { spec: { expirationSeconds: SECONDS, ...bound } });
  const token = textAt(answer, 'status', 'token');
  if (token === undefined) throw new Error(`no token for the service account ${account}`);
  return token;
}

/** A token of one of Corral's own service accounts, with one of its pods or for itself. */
export const componentToken = async (api: ApiClient, component: Component, pod?: PodId): Promise<string> =>
  createToken(api, { namespace: SYSTEM, account: `corral-${component}`, pod });
