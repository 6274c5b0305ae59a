import type { Violation } from '../observer/history.ts';
import { renderViolations } from '../observer/judge.ts';
import { Observer } from '../observer/observer.ts';
import type { OwnCluster } from './start-cluster.ts';
import { startSomeCluster } from './start-some-cluster.ts';

/** What a cluster's observer has seen of what must not be. */
export class Violated extends Error {
  constructor(violations: readonly Violation[]) {
    super(renderViolations(violations));
    this.name = 'Violated';
  }
}

/** A cluster that is observed. */
export interface ObservedCluster extends OwnCluster {
  /** Ends it without a verdict. */
  abandon(): Promise<void>;
}

/**
 * Some cluster (see `startSomeCluster`), and an observer of it from its start on. `stop` ends both, and then throws
 * Violated if a promise was broken.
 */
export async function startObservedCluster(options: { readonly requireNode: boolean }): Promise<ObservedCluster> {
  const own = await startSomeCluster(options);
  try {
    const observer = await Observer.start(own.cluster);
    return {
      ...own,
      stop: async () => stopBoth(own, observer),
      abandon: async () => own.stop(),
    };
  } catch (error) {
    await own.stop();
    throw error;
  }
}

/** The observer needs the cluster to its end. */
async function stopBoth(own: OwnCluster, observer: Observer): Promise<void> {
  const { states, writes, violations } = await observer.end().finally(async () => own.stop());
  process.stderr.write(`observed ${states} states of objects and ${writes} writes: ${violations.length} violations\n`);
  if (violations.length > 0) throw new Violated(violations);
}
