import { allowsNamespace, type NamespaceLabels } from './allows-namespace.ts';
import type { ClusterDeployment, ClusterPool, PoolSettings } from './decode-objects.ts';
import type { PresetRefusal } from './verdict.ts';

/** The pool of a ModelDeployment, or why none of its presets may be in it. */
export type PoolAdmission =
  | { readonly kind: 'admitted'; readonly pool: PoolSettings }
  | { readonly kind: 'refused'; readonly refusal: PresetRefusal };

const refuse = (reason: PresetRefusal['reason'], message: string): PoolAdmission => ({
  kind: 'refused',
  refusal: { reason, message },
});

/** `pool`: what there is under the name that the ModelDeployment gives; `labels`: of its namespace. */
export function admitToPool(
  deployment: ClusterDeployment,
  pool: ClusterPool | undefined,
  labels: NamespaceLabels | undefined,
): PoolAdmission {
  const name = `the ModelPool ${JSON.stringify(deployment.pool)}`;
  if (pool === undefined) {
    return refuse('PoolNotFound', `${name} does not exist: create it, or name another in spec.pool`);
  }
  if (pool.decoded.kind === 'invalid') {
    return refuse('PoolNotFound', `${name} cannot be used until it is corrected: ${pool.decoded.message}`);
  }
  const settings = pool.decoded.spec;
  if (allowsNamespace(settings.allowedNamespaces, labels)) return { kind: 'admitted', pool: settings };
  const { namespace } = deployment.ref;
  return refuse(
    'PoolNotAllowed',
    `${name} does not take models of the namespace ${JSON.stringify(namespace)}: see its spec.allowedNamespaces`,
  );
}
