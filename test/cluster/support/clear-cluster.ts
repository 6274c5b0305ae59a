import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { claimAbandoned } from './claim-cluster.ts';
import { clustersFolder, layOut } from './cluster-layout.ts';
import { endMachine } from './node/node-machine.ts';
import { run } from './run.ts';
import { StartedProcesses } from './started-processes.ts';

/**
 * Ends every process of cluster `index` and removes its cgroups, links, files and memory, whoever started it. Nothing is
 * asked to end well: all of it is thrown away. Only for who holds the claim to the number.
 */
export async function clearCluster(index: number): Promise<void> {
  const { folder, etcdFolder, bridge } = layOut(index, 0);
  if (existsSync(folder)) await endProcesses(index, folder);
  if (existsSync(`/sys/class/net/${bridge}`)) await run(['ip', 'link', 'delete', bridge]);
  // Nothing of ours is mounted in our own namespace; should it be, what is mounted stays.
  await run(['rm', '-rf', '--one-file-system', folder, etcdFolder]);
}

async function endProcesses(index: number, folder: string): Promise<void> {
  const processes = new StartedProcesses(folder);
  processes.signal(processes.names(), 'SIGKILL');
  const machines = (await readdir(folder)).filter((name) => /^n\d+$/u.test(name));
  const { nodes } = layOut(index, Math.max(0, ...machines.map((name) => Number(name.slice(1)))));
  for (const node of nodes) await endMachine(node, processes);
  const left = await processes.untilGone(processes.names(), 10_000);
  if (left.length > 0) throw new Error(`${left.join(', ')} of cluster ${index} cannot be ended`);
}

/** Clears what processes that have ended without clearing up left behind. */
export async function clearAbandoned(): Promise<void> {
  if (!existsSync(clustersFolder())) return;
  const indexes = (await readdir(clustersFolder())).filter((name) => /^\d+$/u.test(name)).map(Number);
  for (const claim of claimAbandoned(indexes)) {
    process.stderr.write(`clearing what an ended process left of test cluster ${claim.index}\n`);
    await clearCluster(claim.index);
    claim.release();
  }
}
