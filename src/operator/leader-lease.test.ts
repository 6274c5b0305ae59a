import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { readPath } from '../api/field-path.ts';
import { milliseconds, seconds, since } from '../domain/units.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { keptLog, LEASES, startKube, type KubeBed } from '../testing/kube-testbed.ts';
import { LeaderLease } from './leader-lease.ts';

/** The transport's. */
const CALL_TIMEOUT = seconds(10);

interface Bed extends KubeBed {
  readonly timers: ManualTimers;
  /** What the candidates were told, in order. */
  readonly told: string[];
  /** Who has reached the lease again. */
  readonly reached: string[];
}

async function startBed(t: TestContext): Promise<Bed> {
  const timers = new ManualTimers();
  return { ...(await startKube(t, { timers })), timers, told: [], reached: [] };
}

interface Candidate {
  readonly lease: LeaderLease;
  readonly log: ReturnType<typeof keptLog>;
}

function enter(t: TestContext, { api, timers, told, reached }: Bed, identity: string): Candidate {
  const log = keptLog();
  const lease = new LeaderLease({
    api,
    namespace: 'system',
    name: 'corral-operator',
    identity,
    timers,
    wallNow: () => Date.UTC(2026, 0, 1),
    log,
    onReached: () => reached.push(identity),
    onLeading: () => told.push(`${identity} leads`),
    onLost: (reason) => told.push(`${identity} has lost: ${reason}`),
  });
  t.after(async () => lease.stop());
  lease.start();
  return { lease, log };
}

const specOf = ({ server }: Bed, field: string): unknown =>
  readPath(server.find(LEASES, 'system', 'corral-operator'), ['spec', field]);

const writes = ({ server }: Bed): number => server.requests.filter(({ verb }) => verb !== 'get').length;

/** A lease that somebody has given back. */
const giveBack = ({ server }: Bed): void => {
  const metadata = { name: 'corral-operator', namespace: 'system', labels: { kept: 'yes' } };
  server.put(LEASES, { metadata, spec: { holderIdentity: '', leaseTransitions: 7 } });
};

/** One that leads by a lease that was given back. */
async function startLeading(t: TestContext, bed: Bed): Promise<Candidate> {
  giveBack(bed);
  const first = enter(t, bed, 'a');
  while (bed.told.length === 0) await aMoment();
  assert.deepEqual(bed.told.splice(0), ['a leads']);
  return first;
}

/** For what goes over sockets. */
const aMoment = async (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 2);
  });

/** Lets time pass, but not while a call is on its way: no machine is so slow that one runs out. */
async function pass(bed: Bed, until: () => boolean): Promise<void> {
  while (!until()) {
    await aMoment();
    if (!bed.timers.delays.includes(CALL_TIMEOUT)) bed.timers.advance(milliseconds(100));
  }
}

describe('the lease of the leader', () => {
  it('is taken at once when it was given back, and says who has it, since when and how often it has changed hands', async (t) => {
    const bed = await startBed(t);
    const { lease } = await startLeading(t, bed);
    assert.equal(lease.whyNotWrite(), undefined);
    assert.equal(lease.leader, 'a');
    assert.deepEqual(bed.server.find(LEASES, 'system', 'corral-operator')?.['spec'], {
      holderIdentity: 'a',
      leaseDurationSeconds: 6,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 8,
    });
    const labels = bed.server.find(LEASES, 'system', 'corral-operator')?.metadata.labels;
    assert.deepEqual(labels, { kept: 'yes' }, 'what others have written there stays');
  });

  it('is renewed each second, each time with another time in it', async (t) => {
    const bed = await startBed(t);
    const { lease } = await startLeading(t, bed);
    await pass(bed, () => writes(bed) >= 4);
    assert.equal(lease.isLeading, true);
    assert.equal(specOf(bed, 'acquireTime'), '2026-01-01T00:00:00.000000Z');
    assert.notEqual(specOf(bed, 'renewTime'), '2026-01-01T00:00:00.000000Z');
    assert.equal(specOf(bed, 'leaseTransitions'), 8);
  });

  it('is watched by the others, who know who leads, write nothing, and take it when its holder is heard of no more', async (t) => {
    const bed = await startBed(t);
    await startLeading(t, bed);
    const { lease } = enter(t, bed, 'b');
    await pass(bed, () => lease.leader === 'a');
    assert.equal(lease.whyNotWrite(), 'this process does not lead');
    const isOf =
      (identity: string) =>
      ({ body }: { readonly body: unknown }): boolean =>
        readPath(body, ['spec', 'holderIdentity']) === identity;
    bed.server.fail({ plural: 'leases', verb: 'update', where: isOf('a') }, { kind: 'reset' }, 1000);
    await pass(bed, () => bed.told.length === 2);
    assert.deepEqual(bed.told, ['a has lost: no renewal was answered within 4 s', 'b leads']);
    assert.equal(specOf(bed, 'holderIdentity'), 'b');
  });

  it('goes at once to the next one when its holder gives it back, who writes nothing from then on', async (t) => {
    const bed = await startBed(t);
    const first = await startLeading(t, bed);
    const second = enter(t, bed, 'b');
    await pass(bed, () => second.lease.leader === 'a');
    const release = bed.server.hold({ plural: 'leases', verb: 'update' });
    const stopped = first.lease.stop();
    await bed.server.until(() => release.arrived === 1);
    assert.equal(first.lease.whyNotWrite(), 'this process does not lead', 'already before it is given back');
    release.release();
    await stopped;
    assert.deepEqual([specOf(bed, 'holderIdentity'), specOf(bed, 'leaseDurationSeconds')], ['', undefined]);
    const before = bed.timers.now();
    await pass(bed, () => bed.told.length === 1);
    assert.deepEqual(bed.told, ['b leads']);
    assert.ok(bed.timers.now() - before <= seconds(2), 'it need not run out');
    assert.deepEqual(first.log.lines, ['info the lease is given back']);
  });

  it('stays with its holder when a renewal is lost on the way back, or the lease is deleted', async (t) => {
    const bed = await startBed(t);
    const { lease } = await startLeading(t, bed);
    bed.server.fail({ plural: 'leases', verb: 'update' }, { kind: 'reset-after' });
    const before = writes(bed);
    await pass(bed, () => writes(bed) >= before + 4);
    const uid = String(bed.server.find(LEASES, 'system', 'corral-operator')?.metadata.uid);
    bed.server.finishDeletion(uid);
    await pass(bed, () => specOf(bed, 'holderIdentity') === 'a');
    assert.equal(lease.isLeading, true);
    assert.deepEqual(bed.told, []);
  });

  it('is created where there is none, and not taken before whoever may still lead has noticed', async (t) => {
    const bed = await startBed(t);
    enter(t, bed, 'a');
    await bed.server.until(() => specOf(bed, 'holderIdentity') === '');
    const before = bed.timers.now();
    await pass(bed, () => bed.told.length === 1);
    assert.ok(bed.timers.now() - before >= seconds(6));
    assert.equal(specOf(bed, 'leaseTransitions'), 1);
  });

  it('is asked for once a second, and no more often, while it can be neither read nor written', async (t) => {
    const bed = await startBed(t);
    const missing = { kind: 'status', status: 404, reason: 'NotFound', message: 'no such namespace' } as const;
    bed.server.fail({ plural: 'leases', verb: 'create' }, missing, 1000);
    const { log } = enter(t, bed, 'a');
    await bed.server.until(() => writes(bed) === 1);
    const before = bed.timers.now();
    await pass(bed, () => writes(bed) === 5);
    assert.ok(bed.timers.now() - before >= seconds(4));
    assert.equal(log.lines.length, 1, 'and the log says so once');
    assert.match(String(log.lines[0]), /no such namespace/u);
  });

  it('is tried to be taken once a second, and no more often, while that fails', async (t) => {
    const bed = await startBed(t);
    await startLeading(t, bed);
    const { lease } = enter(t, bed, 'b');
    await pass(bed, () => lease.leader === 'a');
    bed.server.fail({ plural: 'leases', verb: 'update' }, { kind: 'reset' }, 1000);
    await pass(bed, () => bed.told.length === 1);
    assert.deepEqual(bed.told, ['a has lost: no renewal was answered within 4 s']);
    const [tries, before] = [writes(bed), bed.timers.now()];
    await pass(bed, () => writes(bed) === tries + 4);
    assert.ok(bed.timers.now() - before >= seconds(3));
  });

  it('is taken when its holder is heard of no more, also where somebody else annotates it all the time', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    const ref = { name: 'corral-operator', namespace: 'system' };
    server.put(LEASES, { metadata: ref, spec: { holderIdentity: 'gone', leaseDurationSeconds: 6 } });
    const began = bed.timers.now();
    const { lease } = enter(t, bed, 'b');
    await pass(bed, () => lease.leader === 'gone');
    await pass(bed, () => {
      const annotations = { now: String(bed.timers.now()) };
      if (since(began, bed.timers.now()) < seconds(7))
        server.edit(LEASES, ref, (found) => ({ ...found, metadata: { ...ref, annotations } }));
      return bed.told.length === 1;
    });
    assert.deepEqual(bed.told, ['b leads']);
    assert.ok(since(began, bed.timers.now()) < seconds(8), 'not six seconds after the last annotation');
  });

  it('tells when it could be read or written again, since what else has failed is worth a try then, and not at other times', async (t) => {
    const bed = await startBed(t);
    await startLeading(t, bed);
    bed.server.fail({ plural: 'leases', verb: 'get' }, { kind: 'reset' }, 1);
    enter(t, bed, 'b');
    await pass(bed, () => bed.reached.length > 0);
    const renewals = writes(bed);
    await pass(bed, () => writes(bed) === renewals + 2);
    assert.deepEqual(bed.reached, ['b']);
  });
});
