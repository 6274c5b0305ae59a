import { startCluster } from './start-cluster.ts';
import type { OwnCluster } from './start-cluster.ts';
import { startStandInCluster } from './stand-in/start-stand-in-cluster.ts';

/**
 * A cluster with a real node; where this machine cannot have one, and it is not required, a control plane whose pods a
 * stand-in runs as processes of this machine. Throws CannotRun, or what went wrong.
 */
export async function startSomeCluster({ requireNode }: { readonly requireNode: boolean }): Promise<OwnCluster> {
  try {
    return await startCluster({ nodes: 1 });
  } catch (error) {
    if (requireNode) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const own = await startStandInCluster(why);
    process.stderr.write(
      `NO REAL NODE: a stand-in for the kubelet runs the pods as plain processes, because: ${why}\n`,
    );
    return own;
  }
}
