import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { tinyModels } from '../../support/tiny-models.ts';
import { declarePool } from './declare.ts';
import { compare } from './kubectl-page.ts';
import type { Shown } from './kubectl-page.ts';
import { alike } from './kubectl-page-rules.ts';
import { modelFolder, seenAsModels } from './model-folder.ts';
import type { CorralInCluster } from './corral-in-cluster.ts';

const NAMESPACE = 'ml';
const POOL = 'gpus';
/** Where the page has its edge. */
const EDGE = 'http://127.0.0.1:8080';

/** These may be given again, and what they print follows what happens in the cluster. */
const LOOKS = /^kubectl (?:-n \S+ )?(?:get|describe|events|wait) /u;
const LOOK_EVERY_MS = 500;
const PATIENCE_MS = 30_000;

/** The namespace and the pool of the page, and a shell in which its commands do what it says. */
class PageScene {
  readonly #corral: CorralInCluster;
  readonly #edge: string;

  constructor(corral: CorralInCluster, edge: string) {
    this.#corral = corral;
    this.#edge = edge;
  }

  /** Gives a command until it prints what the page shows. Returns how it differs, if it does so for too long. */
  async check(shown: Shown): Promise<string | undefined> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const difference = compare(shown, await this.#give(shown.command));
      if (difference === undefined || !LOOKS.test(shown.command) || performance.now() > end) return difference;
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What a command prints, once it prints the same twice. */
  async capture(command: string): Promise<string> {
    let printed = await this.#give(command);
    if (!LOOKS.test(command)) return printed;
    for (;;) {
      await delay(LOOK_EVERY_MS * 4);
      const again = await this.#give(command);
      if (alike(again) === alike(printed)) return again;
      printed = again;
    }
  }

  /** All that it prints, whether it succeeds or not. */
  async #give(command: string): Promise<string> {
    const { kubectlFile, kubeconfig } = this.#corral.cluster;
    const path = [dirname(kubectlFile), process.env['PATH']].join(':');
    const env = { ...process.env, PATH: path, KUBECONFIG: kubeconfig };
    const script = `exec 2>&1\n${command.replaceAll(EDGE, this.#edge)}`;
    return new Promise((resolve) => {
      execFile('sh', ['-uc', script], { env }, (_, stdout) => {
        resolve(stdout.replace(/\n?$/u, '\n'));
      });
    });
  }
}

/** Makes what the page takes for granted, and removes it and whatever the page adds after the test. */
export async function setPageScene(t: TestContext, corral: CorralInCluster): Promise<PageScene> {
  const { cluster } = corral;
  t.after(async () => {
    // Pods that are on their way out hold what other tests need.
    for (const what of ['modeldeployments.corral.dev', 'pods'])
      await cluster.kubectl(['--namespace', NAMESPACE, 'delete', what, '--all']);
    await cluster.kubectl(['delete', `namespace/${NAMESPACE}`, `modelpools.corral.dev/${POOL}`, '--wait=false']);
  });
  await cluster.api.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
  await cluster.api.until(accounts, 'default', (account) => account !== undefined);
  await createPool(corral);
  return new PageScene(corral, (await corral.edge()).url);
}

async function createPool({ cluster, image }: CorralInCluster): Promise<void> {
  const folder = await modelFolder();
  await tinyModels(folder, ['coder', 'writer']);
  const defaults = { engine: { image }, args: ['--threads=1', '--no-warmup'], pod: seenAsModels(folder) };
  await declarePool(cluster.api, POOL, { capacity: { maxLoaded: 1 }, defaults });
}
