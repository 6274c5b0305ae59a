import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { clustersFolder, MOST_CLUSTERS } from './cluster-layout.ts';

/** The right to a cluster's number, held until it is released or this process ends, however it ends. */
export interface Claim {
  readonly index: number;
  release(): void;
}

/**
 * Claims the lowest number that no running process holds; what a process that has ended left behind under it is there to
 * be cleared. The claim is a lock of the operating system (SQLite's): a file with a process id would outlive its owner.
 * Throws if all are taken.
 */
export function claimCluster(): Claim {
  mkdirSync(clustersFolder(), { recursive: true, mode: 0o755 });
  for (let index = 0; index < MOST_CLUSTERS; index += 1) {
    const claim = tryClaim(index);
    if (claim !== undefined) return claim;
  }
  throw new Error(`${MOST_CLUSTERS} test clusters run on this machine already (${clustersFolder()})`);
}

/** The numbers below which something may lie that nobody holds, each claimed. */
export function claimAbandoned(indexes: readonly number[]): readonly Claim[] {
  return indexes.map(tryClaim).filter((claim) => claim !== undefined);
}

function tryClaim(index: number): Claim | undefined {
  const lock = new DatabaseSync(join(clustersFolder(), `${index}.lock`), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch {
    lock.close();
    return undefined;
  }
  return {
    index,
    release: () => {
      lock.close();
    },
  };
}
