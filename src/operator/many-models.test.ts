import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDGE_REPORTS, MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES, PODS } from '../api/cluster/resources.ts';
import { systemTimers as timers } from '../platform/clock.ts';
import { aModelPool } from '../testing/cluster-objects.ts';
import type { FakeRequest } from '../testing/fake-api-request.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import { keptLog, startKube, unseen } from '../testing/kube-testbed.ts';
import { putReport } from '../testing/operator-bed.ts';
import { Operator } from './operator.ts';

const DEPLOYMENTS = 100;
const PRESETS = 5;

function declareMany(server: FakeApiServer): void {
  server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ml' } });
  server.put(MODEL_POOLS, aModelPool({ defaults: { engine: { image: 'llama:1' } } }));
  for (let index = 0; index < DEPLOYMENTS; index += 1) {
    const presets = Array.from({ length: PRESETS }, (_, preset) => ({
      name: `p${preset}`,
      model: `m${index}/p${preset}`,
      source: { path: `/models/${index}-${preset}.gguf` },
    }));
    const metadata = { name: `m${index}`, namespace: 'ml', uid: `uid-${index}` };
    server.put(MODEL_DEPLOYMENTS, { metadata, spec: { pool: 'default', presets } });
  }
}

/** What the only edge says: somebody waits for the first preset of each of these ModelDeployments. */
function report(server: FakeApiServer, wanted: readonly string[]): void {
  const counts = { inFlight: 0, waiting: 1, oldestWaitSeconds: 0, startedTotal: 0, finishedTotal: 0 };
  putReport(server, { models: wanted.map((deploymentUid) => ({ deploymentUid, preset: 'p0', ...counts })) });
}

/** How often each call was made, by verb and kind. */
const countCalls = (requests: readonly FakeRequest[]): ReadonlyMap<string, number> =>
  new Map(
    [...Map.groupBy(requests, ({ verb, resource }) => `${verb} ${resource.plural}`)].map(([call, all]) => [
      call,
      all.length,
    ]),
  );

const KINDS = [MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES, PODS, EDGE_REPORTS].map(({ plural }) => plural);
const LISTS = KINDS.map((kind): [string, number] => [`list ${kind}`, 1]);
const WATCHES = KINDS.map((kind): [string, number] => [`watch ${kind}`, 1]);

/** Resolves when at least these calls were made since the first `from`, and tells all that were. */
async function callsSince(
  server: FakeApiServer,
  from: number,
  least: readonly (readonly [string, number])[],
): Promise<ReadonlyMap<string, number>> {
  const calls = (): ReadonlyMap<string, number> => countCalls(server.requests.slice(from));
  await server.until(() => {
    const made = calls();
    return least.every(([call, count]) => Number(made.get(call)) >= count);
  });
  return calls();
}

test('500 models cost one list and one watch of each kind and one status of each ModelDeployment, and then nothing', async (t) => {
  const { server, api } = await startKube(t, { timers });
  declareMany(server);
  report(server, []);
  const parts = { api, timers, lookAt: unseen, wallNow: Date.now, instance: 'operator-1', nonce: 'ab', log: keptLog() };
  const operator = new Operator(parts);
  t.after(async () => operator.stop());
  await operator.start();
  assert.deepEqual(await callsSince(server, 0, WATCHES), new Map([...LISTS, ...WATCHES]), 'one that stands by');

  const from = server.requests.length;
  await operator.lead();
  const statuses: [string, number][] = [['patch modeldeployments', DEPLOYMENTS], ['patch modelpools', 1]]; // prettier-ignore
  await callsSince(server, from, [...LISTS, ...statuses]);
  // Whatever is done too often has been done by the time at which a model has come that is wanted after all that.
  for (const [index, uid] of ['uid-7', 'uid-8'].entries()) {
    report(server, [uid]);
    const done = index + 1;
    const made: [string, number][] = [
      ['patch modeldeployments', DEPLOYMENTS + done],
      ['patch modelpools', 1 + done],
      // Before a pod is made its ModelDeployment is looked at.
      ['get modeldeployments', done],
      ['create pods', done],
      ['create events', done],
    ];
    assert.deepEqual(await callsSince(server, from, made), new Map([...LISTS, ...made]));
  }
});
