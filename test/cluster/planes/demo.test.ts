import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Readable } from 'node:stream';
import { renderViolation } from '../observer/judge.ts';
import { Observer } from '../observer/observer.ts';
import { layOut } from '../support/cluster-layout.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { tracesOf } from '../support/traces.ts';

const script = resolve(import.meta.dirname, '../../../scripts/cluster.ts');
const sh = async (command: string): Promise<string> => (await promisify(execFile)('sh', ['-euc', command])).stdout;

/** All that a program prints, kept as it comes. */
class Printed {
  #text = '';
  readonly #stream: Readable;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.setEncoding('utf8').on('data', (chunk: string) => (this.#text += chunk));
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves when this has been printed. Throws if the program ends before. */
  async until(words: string): Promise<string> {
    while (!this.#text.includes(words)) {
      if (this.#stream.readableEnded) throw new Error(`it ended after:\n${this.#text}`);
      await Promise.race([once(this.#stream, 'data'), once(this.#stream, 'end')]);
    }
    return this.#text;
  }
}

/** The cluster of this number, which another process has started. */
function clusterOf(index: number, kubeconfig: string): TestCluster {
  const { folder, apiHost } = layOut(index, 0);
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly clusters: readonly [{ readonly cluster: { readonly server: string } }];
  };
  const [keys, logs] = [join(folder, 'keys'), join(folder, 'logs')];
  return new TestCluster({
    ...{ server: clusters[0].cluster.server, kubeconfig, kubectl: 'kubectl', hostIp: apiHost, logs },
    ...{ caFile: join(keys, 'ca.crt'), tokenFile: join(keys, 'admin.token'), auditLog: join(logs, 'audit.log') },
    ...{ node: { kind: 'none', names: [] }, machines: [] },
  });
}

describe('npm run cluster', { timeout: 240_000 }, () => {
  it('prints commands that work, and leaves nothing after Ctrl-C', async (t) => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const output = new Printed(child.stdout);
    const printed = await output.until('Ctrl-C here ends it all.');
    const [setup = '', ...commands] = printed.split('\n').filter((line) => /^ {2}(export|curl|kubectl)/u.test(line));
    assert.equal(commands.length, 3, printed);
    const [first = '', second = '', watch = ''] = commands;
    const [, kubeconfig = '', index = ''] = /(\S*corral-clusters\/(\d+)\/\S+)/u.exec(setup.replace('=', ' ')) ?? [];
    const cluster = clusterOf(Number(index), kubeconfig);
    const observer = await Observer.start(cluster);
    for (const [command, model] of [
      [first, 'demo-a'],
      [second, 'demo-b'],
    ] as const) {
      const answer = JSON.parse(await sh(`${command} --silent`)) as { model: string; choices: readonly unknown[] };
      assert.deepEqual([answer.model, answer.choices.length], [model, 1]);
    }
    assert.match(await sh(`${setup}\n${watch.replace('--watch', '')}`), /pod\/demo-b-/u);

    const { violations } = await observer.end();
    await cluster.close();
    assert.deepEqual(violations.map(renderViolation), []);
    assert.notDeepEqual(tracesOf(Number(index)), []);
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0, output.text);
    assert.deepEqual(tracesOf(Number(index)), []);
  });
});
