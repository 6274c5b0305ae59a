import { beforeEnd, useCluster } from './cluster.ts';
import { installCorral, type CorralInCluster } from './corral-in-cluster.ts';

let installed: Promise<CorralInCluster> | undefined;

/**
 * Corral, installed from the manifests in `crds/` and `deploy/` into the cluster that the tests use, the same one at each
 * call and in all test files that share the cluster.
 */
export async function withCorral(): Promise<CorralInCluster> {
  installed ??= useCluster().then(async (cluster) => installCorral(beforeEnd, cluster));
  return installed;
}
