import { after } from 'node:test';
import { parseRequired, requiresNode } from '../../../scripts/test-parts.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { CLUSTER_VARIABLE, readRecord } from './cluster-record.ts';
import { onSignal } from './on-signal.ts';
import { startObservedCluster } from './start-observed-cluster.ts';
import { TestCluster } from './test-cluster.ts';

let used: Promise<TestCluster> | undefined;
/** Ends what this process has of the cluster. */
let end: () => Promise<void> = async () => Promise.resolve();

const before: (() => Promise<void>)[] = [];

/** What is done after all tests of this process, side by side, while the cluster is still there. */
export const beforeEnd: Cleanup = { after: (hook) => before.push(hook) };

after(async () => {
  try {
    await Promise.all(before.map(async (hook) => hook()));
  } finally {
    await end();
  }
});

/**
 * The cluster that this process's tests use, the same one at each call: the one that `npm test` has started for all files,
 * or, for a file that is run alone, one of its own, which ends after its tests.
 */
export async function useCluster(): Promise<TestCluster> {
  used ??= openCluster();
  return used;
}

async function openCluster(): Promise<TestCluster> {
  const path = process.env[CLUSTER_VARIABLE];
  if (path !== undefined) {
    const shared = new TestCluster(await readRecord(path));
    end = async () => shared.close();
    return shared;
  }
  const required = parseRequired(process.env['CORRAL_REQUIRE']);
  const own = await startObservedCluster({ requireNode: requiresNode(required) });
  const forget = onSignal(async () => own.abandon());
  end = async () => {
    forget();
    await own.stop();
  };
  return own.cluster;
}
