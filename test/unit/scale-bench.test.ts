import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EDGE_REPORTS, MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../../src/api/cluster/resources.ts';
import { aDeployment, aModelPod, aModelPool } from '../../src/testing/cluster-objects.ts';
import { keptLog, startKube } from '../../src/testing/kube-testbed.ts';
import { systemTimers } from '../../src/platform/clock.ts';
import { pick, popularity } from '../bench/scale/load.ts';
import { figureOf, writesOf, type PlaneFigures } from '../bench/scale/plane-figures.ts';
import { renderScale, type ScaleSample } from '../bench/scale/scale-report.ts';
import { noFigures, SimulatedEdge } from '../bench/scale/simulated-edge.ts';

const SCRAPE = `# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="status",verb="PATCH",version="v1"} 7
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 2
apiserver_request_total{code="409",component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="DELETE",version="v1"} 1
apiserver_request_total{code="201",component="apiserver",dry_run="All",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 50
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"} 90
etcd_disk_wal_write_bytes_total 4096
`;

const plane = (reports: number, etcdBytes: number): PlaneFigures => ({
  writes: new Map([
    ['edgereports', reports],
    ['nodes/status', 1000 * reports],
  ]),
  etcdBytes,
  apiServer: 0,
  etcd: 0,
});

describe('the bench of many edges', () => {
  it('asks for models by their popularity', () => {
    const sums = popularity(4);
    const weights = sums.map((sum, index) => sum - (index === 0 ? 0 : Number(sums[index - 1])));
    assert.deepEqual(
      weights.map((weight) => Math.round(weight * 25)),
      [12, 6, 4, 3],
    );
    assert.deepEqual(
      [0, 0.47, 0.49, 0.99, 1].map((at) => pick(sums, at)),
      [0, 0, 1, 3, 3],
    );
  });

  it('counts writes that were stored or refused, by what was written, and nothing else', () => {
    assert.deepEqual(
      [...writesOf(SCRAPE)],
      [
        ['pods/status', 7],
        ['pods', 3],
      ],
    );
    assert.throws(() => writesOf('etcd_disk_wal_write_bytes_total 1'), /counts no writes/u);
    assert.equal(figureOf(SCRAPE, 'etcd_disk_wal_write_bytes_total'), 4096);
    assert.throws(() => figureOf(SCRAPE, 'etcd_disk'), /not measured/u);
  });

  it('tells rates of what Corral writes, and shares of a core', () => {
    const sample: ScaleSample = {
      edges: 5,
      before: { at: 5000, plane: plane(5, 1000), operator: 2, allEdges: 3, requests: 10 },
      after: { at: 15_000, plane: plane(30, 51_000), operator: 2.5, allEdges: 4, requests: 110 },
      operatorResident: 100,
      figures: { ...noFigures(), untilReporting: [1, 2, 30], waits: [3, 4], refused: 4 },
    };
    const table = renderScale([sample]);
    const cell = (title: string): string | undefined =>
      table
        .split('\n')
        .find((line) => line.includes(`| ${title}`))
        ?.split('|')[2]
        ?.trim();
    assert.deepEqual(
      [
        'requests a second',
        'of them held',
        'writes a second of reports',
        'kB a second',
        '% of a core: operator',
        'requests refused',
      ].map(cell),
      ['10.0', '0.2', '2.5', '5.0', '5.0', '4'],
    );
    assert.equal(cell('ms from the first waiter to its report on its way, p50'), '2.0');
  });
});

it('a simulated edge reports who waits, sends them to the pod that comes, and refuses what nobody declares', async (t) => {
  const { server, api } = await startKube(t, { timers: systemTimers });
  server.put(MODEL_DEPLOYMENTS, aDeployment('a'));
  server.put(MODEL_POOLS, aModelPool());
  const seen = noFigures();
  const until = async (isSo: (report: string) => boolean): Promise<void> =>
    server.until(() => isSo(JSON.stringify(server.objects(EDGE_REPORTS))));
  const edge = new SimulatedEdge({
    api,
    identity: { namespace: 'corral-system', podName: 'edge-1', podUid: 'edge-1-pod' },
    timers: systemTimers,
    log: keptLog(),
    figures: () => seen,
  });
  t.after(async () => edge.stop());
  await edge.start();
  assert.deepEqual([edge.knows('a'), edge.knows('b')], [true, false]);
  edge.request('b', 1);
  assert.equal(seen.refused, 1);

  edge.request('a', 1);
  edge.request('a', 1);
  await until((report) => report.includes('"waiting":2'));
  server.put(PODS, aModelPod('a', { ip: '10.0.0.1' }));
  await until((report) => report.includes('"finishedTotal":2'));
  assert.deepEqual([seen.waits.length, seen.untilReporting.length, seen.untilReported.length], [2, 1, 1]);
});
