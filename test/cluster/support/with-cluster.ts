import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTER_VARIABLE, writeRecord } from './cluster-record.ts';
import { onSignal } from './on-signal.ts';
import { CannotRun } from './start-cluster.ts';
import { startSomeCluster } from './start-some-cluster.ts';

export type WithCluster<T> =
  | { readonly kind: 'done'; readonly result: T }
  /** This machine cannot run one. */
  | { readonly kind: 'absent'; readonly reason: string };

/**
 * Runs `work` with a cluster that other processes find by the environment it is given, and ends the cluster afterwards,
 * also on SIGINT and SIGTERM. Throws if a cluster that this machine should be able to run does not come up.
 */
export async function withCluster<T>(
  options: { readonly requireNode: boolean },
  work: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<WithCluster<T>> {
  const own = await startSomeCluster(options).catch((error: unknown) => {
    if (error instanceof CannotRun) return error;
    throw error;
  });
  if (own instanceof CannotRun) return { kind: 'absent', reason: own.message };
  const folder = await mkdtemp(join(tmpdir(), 'corral-cluster-record-'));
  const end = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    await own.stop();
  };
  const forget = onSignal(end);
  try {
    await writeRecord(join(folder, 'cluster.json'), own.record);
    return { kind: 'done', result: await work({ [CLUSTER_VARIABLE]: join(folder, 'cluster.json') }) };
  } finally {
    forget();
    await end();
  }
}
