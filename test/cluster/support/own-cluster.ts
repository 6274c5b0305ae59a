import { startCluster } from './start-cluster.ts';

// A process of its own that starts a cluster, tells its number, and waits to be killed: for the test of what is left then.
const own = await startCluster({ nodes: process.argv[2] === '1' ? 1 : 0 });
process.stdout.write(`${own.index}\n`);
setInterval(() => undefined, 1_000_000);
