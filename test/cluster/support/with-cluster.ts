import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLUSTER_VARIABLE, writeRecord } from './cluster-record.ts';
import { onSignal } from './on-signal.ts';
import { CannotRun } from './start-cluster.ts';
import type { OwnCluster } from './start-cluster.ts';
import { startObservedCluster, Violated } from './start-observed-cluster.ts';

export { fillCaches } from './start-cluster.ts';

export type WithCluster<T> =
  /** `complaint`: what the observer of the cluster has seen of what must not be; `undefined`: nothing. */
  | { readonly kind: 'done'; readonly result: T; readonly complaint: string | undefined }
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
  const own = await startObservedCluster(options).catch((error: unknown) => {
    if (error instanceof CannotRun) return error;
    throw error;
  });
  if (own instanceof CannotRun) return { kind: 'absent', reason: own.message };
  const folder = await mkdtemp(join(tmpdir(), 'corral-cluster-record-'));
  const file = join(folder, 'cluster.json');
  const forget = onSignal(async () => end(folder, async () => own.abandon()));
  try {
    const result = await use(file, own, work).catch(async (error: unknown) => {
      await end(folder, async () => own.abandon());
      throw error;
    });
    const complaint = await end(folder, async () => own.stop()).then(() => undefined, complaintOf);
    return { kind: 'done', result, complaint };
  } finally {
    forget();
  }
}

async function use<T>(file: string, own: OwnCluster, work: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  await writeRecord(file, own.record);
  return work({ [CLUSTER_VARIABLE]: file });
}

async function end(folder: string, endCluster: () => Promise<void>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await endCluster();
}

function complaintOf(error: unknown): string {
  if (error instanceof Violated) return error.message;
  throw error;
}
