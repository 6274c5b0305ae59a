import { asObject, type ApiClient, type ApiObject } from './api-client.ts';
import { GROUP } from './corral-names.ts';

type Fields = Readonly<Record<string, unknown>>;

const header = (kind: string, name: string): Fields => ({
  apiVersion: 'corral.dev/v1alpha1',
  kind,
  metadata: { name },
});

/** Creates a ModelPool. */
export async function declarePool(api: ApiClient, name: string, spec: Fields): Promise<void> {
  await api.call('POST', `${GROUP}/modelpools`, { ...header('ModelPool', name), spec });
}

/** Creates a ModelDeployment. */
export async function declareModels(
  api: ApiClient,
  { namespace = 'default', name }: { readonly namespace?: string; readonly name: string },
  spec: Fields,
): Promise<ApiObject> {
  const collection = `${GROUP}/namespaces/${namespace}/modeldeployments`;
  return asObject(await api.call('POST', collection, { ...header('ModelDeployment', name), spec }));
}
