import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { onSignal } from '../test/cluster/support/on-signal.ts';
import { startSomeCluster } from '../test/cluster/support/start-some-cluster.ts';
import { edgeUrl, installDemo, renderHowToTry } from './cluster-demo.ts';
import { obtainLlamaServer, runCommand } from './run-named.ts';
import { whereClustersRun } from './where-clusters-run.ts';

/** Runs a cluster with Corral and two demo models in it until it is told to end. */
async function main(): Promise<number> {
  parseArgs({ options: {} });
  if (obtainLlamaServer() === undefined) return 1;
  return whereClustersRun('npm run cluster', runDemo);
}

async function runDemo(): Promise<void> {
  process.stdout.write('starting Kubernetes\n');
  const own = await startSomeCluster({ requireNode: false });
  const forget = onSignal(async () => own.stop());
  try {
    process.stdout.write('installing Corral\n');
    await installDemo(own);
    process.stdout.write(renderHowToTry(own, await edgeUrl(own), { path: dirname(own.record.kubectl) }));
    forget();
    await untilToldToEnd();
    process.stdout.write('\nending it all\n');
  } finally {
    forget();
    await own.stop();
  }
}

/** Without something to wait for, Node would end. */
async function untilToldToEnd(): Promise<void> {
  const awake = setInterval(() => undefined, 1_000_000);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => {
        resolve();
      });
  });
  clearInterval(awake);
}

await runCommand('npm run cluster', main);
