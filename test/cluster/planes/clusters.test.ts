import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { claimCluster } from '../support/claim-cluster.ts';
import { useCluster } from '../support/cluster.ts';
import { startCluster } from '../support/start-cluster.ts';
import { tracesOf } from '../support/traces.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Whether this machine can have a real node, as the cluster that others share shows. */
const hasNode = async (): Promise<boolean> => (await useCluster()).node.kind === 'kubelet';

describe('a cluster of its own', { timeout: 240_000 }, () => {
  it('leaves nothing behind when it is stopped', async () => {
    const own = await startCluster({ nodes: (await hasNode()) ? 1 : 0 });
    const before = tracesOf(own.index);
    for (const program of ['etcd', 'kube-apiserver']) assert.ok(before.some((trace) => trace.includes(program)));
    await own.stop();
    assert.deepEqual(tracesOf(own.index), []);
  });

  it('is cleared away by the next one when its process was killed, under whatever number that runs', async () => {
    // A lower number, for the next one.
    const lower = claimCluster();
    const nodes = (await hasNode()) ? '1' : '0';
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/own-cluster.ts'), nodes], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const index = Number(line);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.notDeepEqual(tracesOf(index), []);
    lower.release();
    const next = await startCluster({ nodes: 0 });
    await next.stop();
    // Another run on this machine may have begun to clear it first, or have taken the lower number.
    await waitUntil('the traces of the killed one', 20, async () => Promise.resolve(tracesOf(index).length === 0));
  });
});
