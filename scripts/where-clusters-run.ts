/**
 * Does work that starts a cluster, for a command. Resolves with its exit code: 1, with the reason on stderr, if this machine cannot
 * run one. The cluster's code is loaded for that alone.
 */
export async function whereClustersRun(command: string, work: () => Promise<void>): Promise<0 | 1> {
  const { CannotRun } = await import('../test/cluster/support/start-cluster.ts');
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stderr.write(`${command}: ${error.message}\n`);
    return 1;
  }
}
