import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseRequired, requiresNode } from '../../../scripts/test-parts.ts';
import { blocksOf, readText, root, sectionOf } from '../../docs/support/markdown.ts';
import { assertWhole, startStream } from '../../support/chat.ts';
import { declareModels } from '../support/declare.ts';
import { untilListed } from '../support/edge-client.ts';
import { modelFolder, seenAsModels } from '../support/model-folder.ts';
import { onSignal } from '../support/on-signal.ts';
import type { OwnCluster } from '../support/start-cluster.ts';
import { startObservedCluster } from '../support/start-observed-cluster.ts';
import { GROUP } from '../support/corral-names.ts';
import { CorralInCluster } from '../support/corral-in-cluster.ts';

const execute = promisify(execFile);
const page = readText('docs/cluster.md');
/** Tokens of a stream that takes some seconds. */
const LONG = 600;

/** Runs the `sh` blocks of a section as they are printed, in the project's folder, with a kubectl that knows the cluster. */
async function runAsPrinted({ record }: OwnCluster, heading: string): Promise<void> {
  const blocks = blocksOf(sectionOf(page, heading)).filter(({ language }) => language === 'sh');
  assert.ok(blocks.length > 0, `there is nothing to run under ${heading}`);
  const path = [dirname(record.kubectl), process.env['PATH']].join(':');
  for (const { text } of blocks) {
    await execute('sh', ['-euc', text], {
      cwd: root,
      env: { ...process.env, PATH: path, KUBECONFIG: record.kubeconfig },
    });
  }
}

/** What is in the whole cluster that has to do with Corral. */
async function remains({ cluster }: OwnCluster): Promise<readonly string[]> {
  const kinds =
    'namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,pods,validatingadmissionpolicies,validatingadmissionpolicybindings';
  const names = await cluster.kubectl(['get', kinds, '--all-namespaces', '--output=name']);
  return names.split('\n').filter((name) => name.includes('corral') || name.startsWith('pod/'));
}

/** A model of this machine in place of one that would be downloaded, in the pool of the document. */
async function declareModel({ cluster }: OwnCluster): Promise<void> {
  await cluster.api.call('PATCH', `${GROUP}/modelpools/default`, {
    spec: { defaults: { engine: { image: await cluster.image('llama-server') } } },
  });
  await declareModels(
    cluster.api,
    { name: 'chat' },
    {
      defaults: { args: ['--threads=1', '--no-warmup'], pod: seenAsModels(await modelFolder()) },
      presets: [{ name: 'slow', source: { path: '/models/slow.gguf' } }],
    },
  );
}

describe('docs/cluster.md', { timeout: 240_000 }, () => {
  it('installs Corral as printed, and uninstalls it without cutting a stream or leaving a trace', async (t) => {
    const own = await startObservedCluster({ requireNode: requiresNode(parseRequired(process.env['CORRAL_REQUIRE'])) });
    const forget = onSignal(async () => own.abandon());
    t.after(async () => {
      forget();
      await own.stop();
    });
    // In place of the image that a user would bring to the nodes.
    await own.cluster.image('corral');
    const before = await remains(own);
    assert.deepEqual(before, []);

    await runAsPrinted(own, 'Install');
    await declareModel(own);
    const corral = new CorralInCluster(t, own.cluster, await own.cluster.image('llama-server'));
    const { url } = await corral.edge();
    await untilListed(url, 'slow');
    const stream = await startStream({ url }, 'slow', LONG);
    await runAsPrinted(own, 'Uninstall');
    await assertWhole(stream.whole, 'slow', LONG);
    assert.deepEqual(await remains(own), []);
  });
});
