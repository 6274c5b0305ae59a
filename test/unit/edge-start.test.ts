import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { closedPort } from '../../src/testing/http-kit.ts';
import { startFakeApiServer } from '../../src/testing/fake-api-server.ts';
import { CorralProcess } from '../prove/operator-trials/operator-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAM = [process.execPath, join(ROOT, 'src/main.ts')];
/** As nohup starts it. */
const WITHOUT_HANG_UP = ['/bin/sh', '-c', `trap '' HUP; exec "$0" "$@"`, join(ROOT, 'bin/corral')];
/** One that listens after its end is never gone. */
const patience = { timeout: 60_000 };

/** `corral edge` in a process of its own, which starts beside this API server. */
const startEdge = (t: TestContext, apiServer: string, program: readonly string[] = PROGRAM): CorralProcess =>
  new CorralProcess(t, {
    argv: [
      ...[...program, 'edge', '--api-server', apiServer],
      ...['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'],
    ],
    env: { POD_NAME: 'edge-1', POD_NAMESPACE: 'corral-system', POD_UID: 'edge-1-pod' },
  });

/** Tells it to end. It has never listened: whoever listens is not gone by itself. */
async function assertEnds(edge: CorralProcess): Promise<void> {
  edge.kill('SIGTERM');
  const { code, signal, stderr } = await edge.exited;
  assert.deepEqual([code, signal, stderr], [0, null, '']);
  assert.equal(edge.log.all({ msg: 'listening' }).length, 0);
  assert.equal(edge.log.lines.at(-1)?.msg, 'ended');
}

test('an edge that is told to end where no API server answers is gone, as one that has served', patience, async (t) => {
  const edge = startEdge(t, `http://127.0.0.1:${await closedPort()}`);
  await edge.log.waitFor({ msg: 'the report could not be written; trying again' });
  await assertEnds(edge);
});

test(
  'an edge that is told to end while its resources are not installed is gone, and its report too',
  patience,
  async (t) => {
    const server = await startFakeApiServer();
    t.after(async () => server.close());
    server.fail({ verb: 'list', plural: 'modeldeployments' }, { kind: 'status', status: 404 }, Infinity);
    const edge = startEdge(t, server.url);
    await server.until(() => server.requests.some(({ resource }) => resource.plural === 'modeldeployments'));
    await assertEnds(edge);
    assert.ok(server.requests.some(({ verb, resource }) => verb === 'delete' && resource.plural === 'edgereports'));
  },
);

test('an edge that nohup has started outlives its terminal, and ends when it is told to', patience, async (t) => {
  const edge = startEdge(t, `http://127.0.0.1:${await closedPort()}`, WITHOUT_HANG_UP);
  await edge.log.waitFor({ msg: 'the report could not be written; trying again' });
  edge.kill('SIGHUP');
  await assertEnds(edge);
  assert.equal(edge.log.all({ signal: 'SIGHUP' }).length, 0);
  assert.equal(edge.log.all({ signal: 'SIGTERM' }).length, 1);
});
