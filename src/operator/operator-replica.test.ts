import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EDGE_REPORTS, LEASES, MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES, PODS } from '../api/cluster/resources.ts';
import { readPath } from '../api/field-path.ts';
import { modelName } from '../domain/ids.ts';
import { milliseconds, seconds, type Duration } from '../domain/units.ts';
import type { Timers } from '../kube/timers.ts';
import { createKubeApi } from '../kube/transport.ts';
import { aDeployment, aModelPool } from '../testing/cluster-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import type { FakeRequest } from '../testing/fake-api-request.ts';
import { FakeKubelet } from '../testing/fake-kubelet.ts';
import { keptLog, startKube, unseen } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { OPERATOR_LEASE, OperatorReplica } from './operator-replica.ts';

/** Of a write, and of a read: such an alarm is set while a call is on its way. */
const CALLS = [seconds(2), seconds(10)];

/** Timers of a process that can be stopped: then nothing rings until it goes on. */
class StoppableTimers implements Timers {
  readonly #clock: ManualTimers;
  readonly #late: (() => void)[] = [];
  isStopped = false;

  constructor(clock: ManualTimers) {
    this.#clock = clock;
  }

  readonly now = (): ReturnType<Timers['now']> => this.#clock.now();
  readonly random = (): number => 0.5;
  readonly wakeIn = (delay: Duration, callback: () => void): (() => void) => {
    let isCancelled = false;
    const ring = (): void => {
      if (this.isStopped) this.#late.push(ring);
      else if (!isCancelled) callback();
    };
    const cancel = this.#clock.wakeIn(delay, ring);
    return () => {
      isCancelled = true;
      cancel();
    };
  };

  goOn(): void {
    this.isStopped = false;
    for (const ring of this.#late.splice(0)) ring();
  }
}

interface Bed {
  readonly server: FakeApiServer;
  readonly clock: ManualTimers;
  readonly folder: string;
}

interface Started {
  readonly operator: OperatorReplica;
  readonly timers: StoppableTimers;
  readonly log: ReturnType<typeof keptLog>;
  readonly lost: string[];
}

/** A cluster with the models `a` and `b`, and a lease that was given back. */
async function startBed(t: TestContext): Promise<Bed> {
  const clock = new ManualTimers();
  const { server } = await startKube(t, { timers: clock });
  const kubelet = new FakeKubelet(server);
  kubelet.run();
  const folder = mkdtempSync(join(tmpdir(), 'corral-tokens-'));
  t.after(() => {
    kubelet.stop();
    rmSync(folder, { recursive: true });
  });
  server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ml' } });
  server.put(MODEL_POOLS, aModelPool({ capacity: { maxLoaded: 2 }, defaults: { engine: { image: 'llama:1' } } }));
  for (const name of ['a', 'b'])
    server.put(MODEL_DEPLOYMENTS, aDeployment(name, { env: [{ name: 'FAKE', value: 'ready' }] }));
  server.put(LEASES, { metadata: { name: OPERATOR_LEASE, namespace: 'system' }, spec: { holderIdentity: '' } });
  return { server, clock, folder };
}

/** One that the server knows by its token, which is its name. */
async function start(t: TestContext, { server, clock, folder }: Bed, name: string): Promise<Started> {
  const tokenFile = join(folder, name);
  writeFileSync(tokenFile, name);
  const [timers, log, lost] = [new StoppableTimers(clock), keptLog(), [] as string[]];
  const operator = new OperatorReplica({
    connect: (options) =>
      createKubeApi({ server: new URL(server.url), tokenFile, caFile: undefined }, { timers, log, ...options }),
    namespace: 'system',
    timers,
    lookAt: unseen,
    wallNow: () => Date.UTC(2026, 0, 1),
    instance: name,
    nonce: 'ab',
    log,
    onLost: (reason) => lost.push(reason),
  });
  t.after(async () => {
    timers.goOn();
    await operator.stop();
  });
  await operator.start();
  return { operator, timers, log, lost };
}

const aMoment = async (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 2);
  });

/** Lets time pass, but not while a call is on its way: no machine is so slow that one runs out. */
async function pass({ clock }: Bed, until: () => boolean): Promise<void> {
  while (!until()) {
    await aMoment();
    if (!CALLS.some((call) => clock.delays.includes(call))) clock.advance(milliseconds(100));
  }
}

/** Somebody waits for these models. */
function want({ server }: Bed, ...names: readonly string[]): void {
  server.put(EDGE_REPORTS, {
    metadata: { name: 'edge-1', namespace: 'corral-system' },
    report: {
      edge: { podName: 'edge-1', podUid: 'edge-1-pod' },
      bootId: 'boot-1',
      sequence: server.requests.length + 1,
      models: names.map((name) => ({
        deploymentUid: `${name}-uid`,
        preset: name,
        inFlight: 0,
        waiting: 1,
        oldestWaitSeconds: 0,
        startedTotal: 1,
        finishedTotal: 0,
      })),
      replicas: [],
      acks: [],
      orders: [],
    },
  });
}

const isWrite = ({ verb }: FakeRequest): boolean => !['get', 'list', 'watch'].includes(verb);
const isOf =
  (name: string) =>
  ({ authorization }: FakeRequest): boolean =>
    authorization === `Bearer ${name}`;
const isOfLease = ({ resource }: FakeRequest): boolean => resource.plural === 'leases';

/** What this one has written, beside the lease. */
const writesOf = ({ server }: Bed, name: string): readonly FakeRequest[] =>
  server.requests.filter((request) => isWrite(request) && isOf(name)(request) && !isOfLease(request));

const isReady = ({ server }: Bed, name: string): boolean =>
  readPath(server.find(MODEL_DEPLOYMENTS, 'ml', name), ['status', 'presets', 0, 'phase']) === 'Ready';

/** `a` leads and has loaded the model `a`; `b` stands by. */
async function startBoth(t: TestContext): Promise<{ bed: Bed; first: Started; second: Started }> {
  const bed = await startBed(t);
  const first = await start(t, bed, 'a');
  await pass(bed, () => first.operator.standing().kind === 'planning');
  const second = await start(t, bed, 'b');
  want(bed, 'a');
  await pass(bed, () => isReady(bed, 'a') && second.operator.standing().kind === 'standby');
  return { bed, first, second };
}

describe('of two operators', () => {
  it('one leads, and the other is ready, knows who leads, plans nothing and writes nothing', async (t) => {
    const { bed, first, second } = await startBoth(t);
    assert.deepEqual([first.operator.isLeading, second.operator.isLeading], [true, false]);
    assert.equal(second.operator.whyNotReady(), undefined);
    assert.deepEqual(second.operator.standing(), { kind: 'standby', leader: 'a' });
    assert.equal(first.operator.plan(modelName('a'))?.outcome, 'ready');
    assert.equal(second.operator.plan(modelName('a')), undefined);
    assert.ok(writesOf(bed, 'a').length > 0);
    const writes = bed.server.requests.filter((request) => isWrite(request) && isOf('b')(request));
    assert.deepEqual(writes, []);
  });

  it('the other one leads at once when the first ends as told, after a new list of everything, and cuts nothing', async (t) => {
    const { bed, first, second } = await startBoth(t);
    const pods = bed.server.objects(PODS).map(({ metadata }) => metadata.uid);
    const [before, known] = [bed.clock.now(), bed.server.requests.length];
    await first.operator.stop();
    await pass(bed, () => second.operator.standing().kind === 'planning');
    assert.ok(bed.clock.now() - before <= seconds(2));
    const since = bed.server.requests.slice(known).filter(isOf('b'));
    const lists = since.filter(({ verb }) => verb === 'list');
    assert.deepEqual(lists.map(({ resource }) => resource.plural).toSorted(), [
      'edgereports',
      'modeldeployments',
      'modelpools',
      'namespaces',
      'pods',
    ]);
    for (const { query } of lists) assert.equal(query.get('resourceVersion'), null, 'a quorum list');
    want(bed, 'a', 'b');
    await pass(bed, () => isReady(bed, 'b'));
    assert.deepEqual(
      pods.filter((uid) => !bed.server.objects(PODS).some(({ metadata }) => metadata.uid === uid)),
      [],
    );
    assert.deepEqual([first.lost, second.lost], [[], []]);
  });

  it('a leader that was stopped meanwhile writes nothing when it wakes up, and ends', async (t) => {
    const { bed, first, second } = await startBoth(t);
    const renewal = bed.server.hold({ plural: 'leases', verb: 'update', where: isOf('a') });
    await pass(bed, () => renewal.arrived === 1);
    first.timers.isStopped = true;
    // The time of the renewal that is on its way runs out, and does not ring.
    bed.clock.advance(seconds(2));
    await pass(bed, () => second.operator.standing().kind === 'planning');
    const known = writesOf(bed, 'a').length;
    // No timer of the first has rung: what it reads now is the first that it learns.
    want(bed, 'a', 'b');
    await pass(bed, () => isReady(bed, 'b'));
    await pass(bed, () => first.log.lines.some((line) => line.includes('not sent: this process does not lead')));
    first.timers.goOn();
    assert.equal(first.lost.length, 1);
    assert.equal(writesOf(bed, 'a').length, known);
    assert.equal(bed.server.objects(PODS).length, 2);
  });
});
