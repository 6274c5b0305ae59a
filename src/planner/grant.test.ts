import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binName, poolName, replicaId, type PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica, ReplicaState } from '../domain/replica.ts';
import { instant, milliseconds } from '../domain/units.ts';
import { linesOf } from '../testing/planner-lines.ts';
import {
  aPool,
  aPreset,
  aReplica,
  drainingSince,
  planInput,
  readySince,
  scaled,
  startingSince,
  stoppingSince,
  type World,
} from '../testing/worlds.ts';
import { plan } from './plan.ts';

const gpus = (amount: number): Preset['footprint'] => new Map([['gpu', amount]]);
const bin = (name: string, amount: number): Bin => ({ name: binName(name), size: gpus(amount) });
const inBins = (...bins: Bin[]): Pool[] => [aPool({ maxLoaded: 0, bins })];
const sized = (name: string, amount: number): Preset => aPreset(name, { footprint: gpus(amount) });
const inBin = (preset: Preset, state: ReplicaState, name: string): Replica =>
  aReplica(preset, state, { bin: binName(name) });
const waiting = (...ages: (readonly [Preset, number])[]): ReadonlyMap<PresetUid, number> =>
  new Map(ages.map(([{ uid }, at]) => [uid, at]));
const [a, b, c] = [aPreset('a'), aPreset('b'), aPreset('c')];
const [one, two, three] = [sized('one', 1), sized('two', 2), sized('three', 3)];
const reasonOf = (world: World): unknown => plan(planInput(world)).blocked[0]?.reason;

describe('a wish that takes no part in the queue', () => {
  const world = { now: 9, presets: [a], waitingSince: waiting([a, 1]) };
  it('says the first reason that holds', () => {
    const off = [scaled(a, { autoload: false })];
    const backOffs = new Map([[a.uid, { until: instant(20) }]]);
    const paused = [aPool({ paused: true })];
    const lost = [{ ...a, pool: poolName('lost') }];
    assert.deepEqual(linesOf({ ...world, presets: lost, backOffs }), { does: [], waits: ['a PoolNotFound'] });
    assert.deepEqual(linesOf({ ...world, presets: off, pools: paused, backOffs }).waits, ['a PoolPaused']);
    assert.deepEqual(linesOf({ ...world, presets: off, backOffs }).waits, ['a AutoloadOff']);
    assert.deepEqual(linesOf({ ...world, backOffs }).waits, ['a BackOff']);
    assert.equal(plan(planInput({ ...world, backOffs })).wakeAt, 20);
    assert.deepEqual(linesOf({ ...world, backOffs, now: 20 }).does, ['start a in pool']);
  });
  it('leaves the room to the others', () => {
    const backOffs = new Map([[a.uid, { until: instant(20) }]]);
    const both = { ...world, presets: [a, b], waitingSince: waiting([a, 1], [b, 5]), backOffs };
    assert.deepEqual(linesOf(both), { does: ['start b in pool'], waits: ['a BackOff'] });
  });
  it('is too large where it fits into no bin, however empty, and evicts nobody', () => {
    const held = [inBin(one, readySince(0), 'x')];
    const large = { now: 9, pools: inBins(bin('x', 2), bin('y', 1)), presets: [one, three], replicas: held };
    const reason = reasonOf({ ...large, waitingSince: waiting([three, 1]) });
    assert.deepEqual(reason, { kind: 'TooLarge', footprint: gpus(3), largest: gpus(2) });
    assert.deepEqual(linesOf({ ...large, waitingSince: waiting([three, 1]) }), { does: [], waits: ['three TooLarge'] });
    const foreign = { ...one, footprint: new Map([['vram', 1]]) };
    const empty = { ...large, replicas: [] };
    assert.deepEqual(linesOf({ ...empty, presets: [foreign], waitingSince: waiting([foreign, 1]) }).waits, [
      'one TooLarge',
    ]);
    assert.deepEqual(linesOf({ ...large, pools: inBins(), waitingSince: waiting([three, 1]) }).waits, [
      'three TooLarge',
    ]);
  });
  it('with autoload off is started by an order', () => {
    const orders = new Map([[a.uid, { kind: 'load', since: instant(0) } as const]]);
    assert.deepEqual(linesOf({ ...world, presets: [scaled(a, { autoload: false })], orders }).does, [
      'start a in pool',
    ]);
  });
});

describe('a wish for which there is room', () => {
  it('is granted by priority, then by age, then by name', () => {
    const high = { ...c, priority: 1 };
    const world = { now: 9, presets: [a, b, high] };
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([a, 1], [b, 1], [high, 8]) }).does, ['start c in pool']);
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([a, 2], [b, 1]) }), {
      does: ['start b in pool'],
      waits: ['a WaitingForCapacity 1'],
    });
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([b, 1], [a, 1]) }).does, ['start a in pool']);
  });
  it('starts in the bin where it leaves the least', () => {
    const pools = inBins(bin('x', 4), bin('y', 2), bin('z', 3));
    assert.deepEqual(linesOf({ now: 9, pools, presets: [two], waitingSince: waiting([two, 1]) }).does, [
      'start two in y',
    ]);
  });
  it('finds none where anything that is not gone still holds it, in that bin or in one that nobody knows', () => {
    for (const state of [startingSince(0), readySince(0), drainingSince(0), stoppingSince(0)]) {
      const world = { now: 9, pools: inBins(bin('x', 2)), presets: [one, two], waitingSince: waiting([two, 1]) };
      assert.ok(!linesOf({ ...world, replicas: [inBin(one, state, 'x')] }).does.includes('start two in x'), state.kind);
      const pools = inBins(bin('x', 2), bin('y', 2));
      const lost = aReplica(one, state, { bin: undefined });
      assert.ok(
        !linesOf({ ...world, pools, replicas: [lost] }).does.some((line) => line.startsWith('start')),
        state.kind,
      );
    }
  });
  it('counts what is declared now of a replica that runs it, and else what was at its start', () => {
    const grown = { ...one, footprint: gpus(2) };
    const world = { now: 9, pools: inBins(bin('x', 3)), presets: [grown, two], waitingSince: waiting([two, 1]) };
    const busy = new Map([[one.uid, 1]]);
    assert.deepEqual(linesOf({ ...world, busy, replicas: [inBin(one, readySince(0), 'x')] }).does, []);
    const older = [inBin({ ...one, rendered: 'older' }, stoppingSince(0), 'x')];
    assert.deepEqual(linesOf({ ...world, busy, replicas: older }).does, ['start two in x']);
  });
  it('may have one replica more than maxReplicas while another leaves, and no second one', () => {
    const world = { now: 9, pools: [aPool({ maxLoaded: 0 })], presets: [a], waitingSince: waiting([a, 1]) };
    const leaving = [1, 2].map((n) => aReplica(a, stoppingSince(0), { id: replicaId(`a#${n}`) }));
    assert.deepEqual(linesOf({ ...world, replicas: leaving.slice(1) }).does, ['start a in pool']);
    assert.deepEqual(linesOf({ ...world, replicas: leaving }), { does: [], waits: ['a WaitingForDrain'] });
  });
  it('is one for each replica that minReplicas asks for, without any demand', () => {
    const always = scaled(a, { minReplicas: 2, maxReplicas: 2 });
    assert.deepEqual(linesOf({ now: 9, pools: [aPool({ maxLoaded: 3 })], presets: [always] }).does, [
      'start a in pool',
      'start a in pool',
    ]);
  });
});

describe('a wish that waits for what leaves', () => {
  const world = { now: 99, presets: [a, b, c], waitingSince: waiting([c, 90]), pools: [aPool({ maxLoaded: 2 })] };
  it('evicts nobody for room that is about to be free', () => {
    for (const state of [stoppingSince(0), drainingSince(0)]) {
      const lines = linesOf({ ...world, replicas: [aReplica(a, state), aReplica(b, readySince(1))] });
      assert.ok(!lines.does.some((line) => line.startsWith('drain')), state.kind);
      assert.deepEqual(lines.waits, ['c WaitingForDrain 1']);
    }
  });
  it('evicts one that is idle instead of waiting for one that is in use', () => {
    const replicas = [aReplica(a, drainingSince(0)), aReplica(b, readySince(1))];
    assert.deepEqual(linesOf({ ...world, replicas, busy: new Map([[a.uid, 1]]) }).does, ['drain b#1 evicted']);
    const busy = new Map([a, b].map(({ uid }) => [uid, 1]));
    assert.deepEqual(linesOf({ ...world, replicas, busy }), { does: [], waits: ['c WaitingForDrain 1'] });
  });
  it('is alone in having that room', () => {
    const replicas = [aReplica(a, stoppingSince(0)), aReplica(b, readySince(1))];
    const two = { ...world, replicas, busy: new Map([[b.uid, 1]]), presets: [a, b, c, aPreset('d')] };
    assert.deepEqual(linesOf({ ...two, waitingSince: waiting([c, 90], [aPreset('d'), 91]) }).waits, [
      'c WaitingForDrain 1',
      'd Reserved 2',
    ]);
  });
});

describe('victims', () => {
  const full = {
    now: 100,
    pools: [aPool({ maxLoaded: 2 })],
    presets: [a, b, c],
    replicas: [aReplica(a, readySince(1)), aReplica(b, readySince(2))],
    waitingSince: waiting([c, 90]),
  };
  const idleSince = (sinceA: number, sinceB: number): ReadonlyMap<PresetUid, number> =>
    waiting([a, sinceA], [b, sinceB]);
  it('are the longest idle, since the end of the last request or since they were ready', () => {
    assert.deepEqual(linesOf({ ...full, idleSince: idleSince(50, 40) }).does, ['drain b#1 evicted']);
    assert.deepEqual(linesOf({ ...full, idleSince: idleSince(40, 50) }).does, ['drain a#1 evicted']);
    assert.deepEqual(linesOf(full).does, ['drain a#1 evicted']);
    assert.deepEqual(linesOf({ ...full, idleSince: idleSince(40, 40) }).does, ['drain a#1 evicted'], 'then by name');
  });
  it('are of the lower priority before that, and surplus before all', () => {
    const low = { ...b, priority: -1 };
    assert.deepEqual(linesOf({ ...full, presets: [a, low, c] }).does, ['drain b#1 evicted']);
    const many = scaled({ ...b, priority: 1 }, { maxReplicas: 2 });
    const replicas = [...full.replicas, aReplica(b, readySince(90), { id: replicaId('b#2') })];
    const busy = new Map([[b.uid, 1]]);
    const inFlight = new Map([
      [replicaId('b#1'), 1],
      [replicaId('b#2'), 0],
    ]);
    const surplus = { ...full, pools: [aPool({ maxLoaded: 3 })], presets: [a, many, c], replicas, busy, inFlight };
    assert.deepEqual(linesOf(surplus).does, ['drain b#2 evicted']);
  });
  it('are none in use, unknown, wanted, ordered, starting, protected or young', () => {
    const soon = { ...full, idleSince: waiting([b, 99]) };
    const load = new Map([[a.uid, { kind: 'load', since: instant(95) } as const]]);
    const spared: Partial<World>[] = [
      { busy: new Map([[a.uid, 1]]) },
      { unknown: new Set([a.uid]) },
      { waitingSince: waiting([c, 90], [a, 99]) },
      { orders: load },
      { replicas: [aReplica(a, startingSince(1)), aReplica(b, readySince(2))] },
      { presets: [scaled(a, { minReplicas: 1 }), b, c] },
      {
        pools: [aPool({ maxLoaded: 2, minResidency: milliseconds(60) })],
        replicas: [aReplica(a, readySince(41)), aReplica(b, readySince(40))],
      },
    ];
    for (const world of spared) assert.deepEqual(linesOf({ ...soon, ...world }).does, ['drain b#1 evicted']);
  });
  it('are taken until it fits, and then those spared that turn out not to be needed', () => {
    const [p, q] = [sized('p', 1), sized('q', 3)];
    const replicas = [inBin(p, readySince(1), 'x'), inBin(q, readySince(2), 'x')];
    const world = { now: 99, pools: inBins(bin('x', 4)), presets: [p, q, three], replicas };
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([three, 90]) }).does, ['drain q#1 evicted']);
    assert.deepEqual(linesOf({ ...world, presets: [p, q, one], waitingSince: waiting([one, 90]) }).does, [
      'drain p#1 evicted',
    ]);
  });
  it('are no more than needed where nobody knows in which bin one lies', () => {
    const [p, q] = [sized('p', 3), sized('q', 3)];
    const replicas = [aReplica(p, readySince(5), { bin: undefined }), inBin(q, readySince(1), 'x')];
    const world = { now: 99, pools: inBins(bin('x', 6), bin('y', 4)), presets: [p, q, sized('r', 4)], replicas };
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([sized('r', 4), 90]) }).does, ['drain p#1 evicted']);
  });
  it('are all of one bin, of the one whose last victim comes first', () => {
    const [p, q, r] = [sized('p', 1), sized('q', 1), sized('r', 2)];
    const replicas = [inBin(p, readySince(1), 'x'), inBin(q, readySince(5), 'x'), inBin(r, readySince(3), 'y')];
    const world = { now: 99, pools: inBins(bin('x', 2), bin('y', 2)), presets: [p, q, r, two], replicas };
    assert.deepEqual(linesOf({ ...world, waitingSince: waiting([two, 90]) }).does, ['drain r#1 evicted']);
    const older = waiting([r, 50]);
    assert.deepEqual(linesOf({ ...world, idleSince: older, waitingSince: waiting([two, 90]) }).does, [
      'drain p#1 evicted',
      'drain q#1 evicted',
    ]);
  });
});

describe('fairness', () => {
  const world = {
    now: 30_050,
    presets: [a, b, c],
    replicas: [aReplica(a, readySince(10, 5))],
    busy: new Map([[a.uid, 3]]),
    waitingSince: waiting([b, 50]),
  };
  it('has one in use leave for one that has waited for fairAfter', () => {
    assert.deepEqual(linesOf({ ...world, now: 30_049 }).does, []);
    assert.equal(plan(planInput({ ...world, now: 30_049 })).wakeAt, 30_050);
    assert.deepEqual(linesOf(world), { does: ['drain a#1 fairness'], waits: ['b WaitingForDrain 1'] });
  });
  it('has idle ones leave first, then the one that has served longest', () => {
    const replicas = [aReplica(a, readySince(10)), aReplica(c, readySince(5))];
    const busy = new Map([a, c].map(({ uid }) => [uid, 1]));
    const both = { ...world, pools: [aPool({ maxLoaded: 2 })], replicas };
    assert.deepEqual(linesOf({ ...both, busy }).does, ['drain c#1 fairness']);
    const young = [aPool({ maxLoaded: 2, minResidency: milliseconds(100) })];
    const idle = [aReplica(a, readySince(10)), aReplica(c, readySince(30_000))];
    assert.deepEqual(linesOf({ ...both, pools: young, replicas: idle }).does, ['drain a#1 fairness']);
  });
  it('lets each serve for as long as it took to load', () => {
    const replicas = [aReplica(a, readySince(30_000, 1_000))];
    assert.deepEqual(linesOf({ ...world, replicas }).does, []);
    assert.equal(plan(planInput({ ...world, replicas })).wakeAt, 31_000);
    assert.deepEqual(linesOf({ ...world, replicas, now: 31_000 }).does, ['drain a#1 fairness']);
  });
  it('lets each serve those first who have waited for it since before it was ready, for fairAfter at most', () => {
    const replicas = [aReplica(a, readySince(30_000))];
    const both = (asked: number): Pick<World, 'waitingSince'> => ({
      waitingSince: new Map([...waiting([b, 50]), ...waiting([a, asked])]),
    });
    assert.deepEqual(linesOf({ ...world, ...both(29_999), replicas }).does, []);
    assert.equal(plan(planInput({ ...world, ...both(29_999), replicas })).wakeAt, 60_000);
    assert.deepEqual(linesOf({ ...world, ...both(29_999), replicas, now: 60_000 }).does, ['drain a#1 fairness']);
    assert.deepEqual(linesOf({ ...world, ...both(30_000), replicas }).does, ['drain a#1 fairness']);
  });
  it('never touches one that is protected, unknown or of a higher priority, and is off when it is 0', () => {
    const later = { ...world, now: 10_000_000 };
    assert.deepEqual(linesOf({ ...later, pools: [aPool({ fairAfter: milliseconds(0) })] }).does, []);
    assert.deepEqual(linesOf({ ...later, presets: [scaled(a, { minReplicas: 1 }), b] }).does, []);
    assert.deepEqual(linesOf({ ...later, unknown: new Set([a.uid]) }).does, []);
    assert.deepEqual(linesOf({ ...later, presets: [{ ...a, priority: 1 }, b] }), {
      does: [],
      waits: ['b HigherPriority 1'],
    });
  });
  it('also has one leave that minReplicas and priority protect where its preset is now, and whose loads fail there', () => {
    const moved = scaled({ ...a, pool: poolName('other'), priority: 1 }, { minReplicas: 1 });
    const left = {
      ...world,
      pools: [aPool(), aPool({ name: poolName('other') })],
      presets: [moved, b],
      replicas: [aReplica(a, readySince(10))],
      busy: new Map(),
      backOffs: new Map([[a.uid, { until: instant(60_000) }]]),
    };
    assert.deepEqual(linesOf({ ...left, now: 30_049 }).does, []);
    assert.deepEqual(linesOf(left).does, ['drain a#1 fairness']);
  });
  it('keeps nothing free behind one of a higher priority that is in use, but behind one that has nothing to do', () => {
    const [high, small] = [{ ...one, priority: 9 }, sized('small', 1)];
    const shared = {
      now: 100_000,
      pools: [aPool({ maxLoaded: 0, bins: [bin('x', 2)], minResidency: milliseconds(200_000) })],
      presets: [high, two, small],
      replicas: [inBin(high, readySince(0), 'x')],
      waitingSince: waiting([two, 50], [small, 99_000]),
    };
    const inUse = { ...shared, busy: new Map([[high.uid, 1]]) };
    assert.deepEqual(linesOf(inUse), { does: ['start small in x'], waits: ['two HigherPriority 1'] });
    assert.deepEqual(linesOf(shared), { does: [], waits: ['two MinResidency 1', 'small Reserved 2'] });
  });
  it('keeps what it frees for its beneficiary, also from a higher priority, until that has started', () => {
    const high = { ...c, priority: 9 };
    const first = plan(planInput({ ...world, presets: [a, b, high] }));
    assert.deepEqual([...first.reservations], [[b.uid, 'pool']]);
    const draining = aReplica(a, drainingSince(30_050, { kind: 'fairness', beneficiary: b.uid }));
    const waitingSince = waiting([b, 50], [high, 60]);
    const next = { ...world, presets: [a, b, high], replicas: [draining], waitingSince };
    const { reservations } = first;
    const waits = ['c WaitingForCapacity 1', 'b WaitingForDrain 2'];
    assert.deepEqual(linesOf({ ...next, reservations }), { does: [], waits });
    const ended = { ...next, busy: new Map(), reservations };
    assert.deepEqual(linesOf(ended), { does: ['stop a#1'], waits: ['c Reserved 1', 'b WaitingForDrain 2'] });
    const gone = { ...next, replicas: [], busy: new Map(), reservations };
    assert.deepEqual(linesOf(gone).does, ['start b in pool']);
    assert.equal(plan(planInput(gone)).reservations.size, 0);
  });
});

describe('a reservation', () => {
  it('of a preset that wants two replicas keeps room for one, in its bin', () => {
    const many = scaled(three, { minReplicas: 2, maxReplicas: 2 });
    const pools = [aPool({ maxLoaded: 2, bins: [bin('x', 3), bin('y', 3)] })];
    const world = { now: 99, pools, presets: [many, two], waitingSince: waiting([two, 1]) };
    const reservations = new Map([[many.uid, binName('y')]]);
    assert.deepEqual(linesOf({ ...world, reservations }).does, ['start two in x', 'start three in y']);
  });
  it('ends with the first replica: a second one takes nothing that others leave for somebody else', () => {
    const many = scaled(a, { minReplicas: 2, maxReplicas: 2 });
    const leaving = aReplica(c, drainingSince(1, { kind: 'fairness', beneficiary: a.uid }));
    const world = {
      now: 40_000,
      pools: [aPool({ maxLoaded: 2 })],
      presets: [many, b, c],
      replicas: [leaving],
      busy: new Map([[c.uid, 1]]),
      orders: new Map([[a.uid, { kind: 'load', since: instant(1) } as const]]),
      waitingSince: waiting([b, 2]),
      reservations: new Map([a, b].map(({ uid }) => [uid, binName('pool')])),
    };
    const first = plan(planInput(world));
    assert.deepEqual(linesOf(world), {
      does: ['start a in pool'],
      waits: ['a WaitingForCapacity 1', 'b WaitingForDrain 2'],
    });
    assert.deepEqual([...first.reservations.keys()], [b.uid]);
    const { reservations } = first;
    const next = { ...world, replicas: [leaving, aReplica(many, startingSince(40_000))], reservations };
    assert.deepEqual(linesOf(next), { does: [], waits: ['a WaitingForCapacity 1', 'b WaitingForDrain 2'] });
    assert.deepEqual([...plan(planInput(next)).reservations.keys()], [b.uid]);
    const alone = { ...world, presets: [many, c], waitingSince: waiting() };
    assert.deepEqual(linesOf(alone), { does: ['start a in pool'], waits: ['a WaitingForDrain 1'] });
    assert.equal(plan(planInput(alone)).reservations.size, 0);
  });
  it('of a younger one does not let it overtake one that waits for what leaves, too, unless that is of a lower priority', () => {
    const leaving = aReplica(c, drainingSince(1, { kind: 'fairness', beneficiary: b.uid }));
    const world = {
      now: 40_000,
      pools: [aPool({ maxLoaded: 2 })],
      presets: [a, b, c],
      replicas: [leaving],
      busy: new Map([[c.uid, 1]]),
      waitingSince: waiting([a, 1], [b, 2]),
      reservations: new Map([[b.uid, binName('pool')]]),
    };
    assert.deepEqual(linesOf(world), { does: ['start a in pool'], waits: ['b WaitingForDrain 1'] });
    assert.deepEqual([...plan(planInput(world)).reservations.keys()], [b.uid]);
    const younger = { ...world, waitingSince: waiting([a, 3], [b, 2]) };
    assert.deepEqual(linesOf(younger).does, ['start b in pool']);
    const higher = { presets: [{ ...a, priority: 9 }, b, c] };
    assert.deepEqual(linesOf({ ...world, ...higher }).does, ['start a in pool']);
    assert.deepEqual(linesOf({ ...younger, ...higher }).does, ['start b in pool'], 'one after the other would pass it');
    const lower = { ...world, presets: [a, { ...b, priority: 9 }, c] };
    assert.deepEqual(linesOf(lower).does, ['start b in pool']);
    const alone = { ...world, replicas: [], busy: new Map(), pools: [aPool()] };
    assert.deepEqual(linesOf(alone), { does: ['start b in pool'], waits: ['a Reserved 1'] });
  });
  it('has ended also where others still leave for one that was served meanwhile and is wanted again', () => {
    const high = { ...a, priority: 9 };
    const cause = { kind: 'fairness', beneficiary: a.uid } as const;
    const leaving = aReplica(c, { kind: 'stopping', since: instant(1), cause });
    const world = {
      now: 40_000,
      presets: [high, b, c],
      replicas: [leaving],
      waitingSince: waiting([b, 2], [a, 39_000]),
    };
    const reservations = new Map([[b.uid, binName('pool')]]);
    const waits = ['a Reserved 1', 'b WaitingForDrain 2'];
    assert.deepEqual(linesOf({ ...world, reservations }), { does: [], waits });
    assert.deepEqual(linesOf({ ...world, reservations, replicas: [] }).does, ['start b in pool']);
  });
});

describe('one of fairAfter that can be given nothing', () => {
  it('keeps what is free where it may fit one day from those behind it', () => {
    const held = [inBin(one, readySince(30_000, 60_000), 'x')];
    const world = { now: 40_000, pools: inBins(bin('x', 3)), presets: [one, two, three], replicas: held };
    const busy = new Map([[one.uid, 1]]);
    const old = waiting([three, 100], [two, 200]);
    assert.deepEqual(linesOf({ ...world, busy, waitingSince: old }), {
      does: [],
      waits: ['three WaitingForCapacity 1', 'two Reserved 2'],
    });
    const young = waiting([three, 39_000], [two, 39_500]);
    assert.deepEqual(linesOf({ ...world, busy, waitingSince: young }).does, ['start two in x']);
  });
});

describe('a bin that has refused a replica', () => {
  const limit: LearnedLimit = {
    pool: poolName('default'),
    bin: binName('pool'),
    preset: b.uid,
    footprint: new Map(),
    total: new Map(),
    replicas: 2,
    until: instant(50),
    spent: false,
  };
  const world = { now: 9, pools: [aPool({ maxLoaded: 0 })], presets: [a, b], waitingSince: waiting([b, 1]) };
  const held = { ...world, replicas: [aReplica(a, readySince(0))] };
  it('counts as full at what was in use then, until the back-off ends', () => {
    const busy = new Map([[a.uid, 1]]);
    const refused = { ...held, busy, learnedLimits: [limit] };
    assert.deepEqual(reasonOf(refused), { kind: 'Unschedulable', until: instant(50) });
    assert.equal(plan(planInput(refused)).wakeAt, 50);
    assert.deepEqual(linesOf({ ...refused, now: 50 }).does, ['start b in pool']);
    assert.deepEqual(linesOf({ ...refused, replicas: [] }).does, ['start b in pool']);
  });
  it('has victims leave for it once', () => {
    assert.deepEqual(linesOf({ ...held, learnedLimits: [limit] }).does, ['drain a#1 evicted']);
    const spent = { ...held, learnedLimits: [{ ...limit, spent: true }] };
    assert.deepEqual(linesOf(spent), { does: [], waits: ['b Unschedulable 1'] });
  });
  it('is still open to what is smaller in anything', () => {
    const larger = { ...limit, footprint: gpus(2), total: gpus(2) };
    assert.deepEqual(linesOf({ ...held, learnedLimits: [larger] }).does, ['start b in pool']);
  });
  it('keeps what others leave for the refused one also from what is smaller', () => {
    const refused = { ...limit, preset: two.uid, footprint: gpus(2), total: gpus(3), until: instant(50_000) };
    const cause = { kind: 'fairness', beneficiary: two.uid } as const;
    const leaving = aReplica(one, { kind: 'stopping', since: instant(1), cause });
    const both = {
      ...world,
      now: 40_000,
      presets: [one, two],
      learnedLimits: [refused],
      waitingSince: waiting([two, 1], [one, 39_000]),
    };
    assert.deepEqual(linesOf({ ...both, replicas: [leaving] }), {
      does: [],
      waits: ['two WaitingForDrain 1', 'one Reserved 2'],
    });
    assert.deepEqual(linesOf(both).does, ['start two in pool', 'start one in pool']);
  });
  it('does not keep what somebody leaves for another from that one', () => {
    const rams = (amount: number): Preset['footprint'] => new Map([['ram', amount]]);
    const [busy, large] = [aPreset('busy', { footprint: rams(1) }), aPreset('large', { footprint: rams(2) })];
    const size = new Map([...gpus(2), ...rams(2)]);
    const refused = { ...limit, bin: binName('x'), preset: large.uid, footprint: rams(2), total: rams(3), replicas: 3 };
    const world = {
      now: 40_000,
      pools: inBins({ name: binName('x'), size }),
      presets: [busy, large, { ...two, model: a.model, uid: a.uid }, two],
      replicas: [
        inBin(busy, readySince(30_000, 60_000), 'x'),
        inBin({ ...two, model: a.model, uid: a.uid }, readySince(0), 'x'),
      ],
      busy: new Map([[busy.uid, 1]]),
      learnedLimits: [{ ...refused, until: instant(50_000) }],
      waitingSince: waiting([large, 1], [two, 39_000]),
    };
    assert.deepEqual(linesOf(world), {
      does: ['drain a#1 evicted'],
      waits: ['large WaitingForCapacity 1', 'two WaitingForDrain 2'],
    });
  });
});

describe('more replicas than one', () => {
  const many = scaled({ ...one, model: a.model, uid: a.uid }, { maxReplicas: 3, targetInFlight: 2 });
  const replicas = [inBin(many, readySince(0), 'x')];
  const world = { now: 9, pools: inBins(bin('x', 3)), presets: [many, two], replicas };
  const busy = (inFlight: number): ReadonlyMap<PresetUid, number> => new Map([[many.uid, inFlight]]);
  it('are as many as the requests in flight are worth, at most maxReplicas', () => {
    assert.deepEqual(linesOf({ ...world, busy: busy(2) }).does, []);
    assert.deepEqual(linesOf({ ...world, busy: busy(3) }).does, ['start a in x']);
    assert.deepEqual(linesOf({ ...world, busy: busy(99) }).does, ['start a in x', 'start a in x']);
  });
  it('take nothing that one who waits could use, and evict nobody', () => {
    const waits = { ...world, pools: inBins(bin('x', 2)), busy: busy(3), waitingSince: waiting([two, 1]) };
    assert.deepEqual(linesOf(waits).does, []);
    const idle = [...replicas, inBin(two, readySince(0), 'x')];
    assert.deepEqual(linesOf({ ...world, replicas: idle, busy: busy(3) }).does, []);
  });
});

describe('the reason why a wish waits', () => {
  const world = {
    now: 100,
    presets: [a, b],
    replicas: [aReplica(a, readySince(80))],
    waitingSince: waiting([b, 90]),
    pools: [aPool({ minResidency: milliseconds(50) })],
  };
  it('is the youth of those that could leave, until the last of them may', () => {
    assert.deepEqual(reasonOf(world), { kind: 'MinResidency', until: 130 });
    assert.equal(plan(planInput(world)).wakeAt, 130);
    assert.deepEqual(linesOf({ ...world, now: 130 }).does, ['drain a#1 evicted']);
  });
  it('is that of the bin in which it ends first, whatever that is called', () => {
    const [old, young] = [sized('old', 1), sized('young', 1)];
    const two = {
      now: 100,
      pools: [aPool({ maxLoaded: 0, bins: [bin('x', 1), bin('y', 1)], minResidency: milliseconds(50) })],
      presets: [old, young, one],
      replicas: [inBin(young, readySince(90), 'x'), inBin(old, readySince(60), 'y')],
      waitingSince: waiting([one, 95]),
    };
    assert.deepEqual(reasonOf(two), { kind: 'MinResidency', until: 110 });
    assert.deepEqual(linesOf({ ...two, now: 110 }).does, ['drain old#1 evicted']);
  });
  it('is that nobody knows whether they are idle', () => {
    assert.deepEqual(reasonOf({ ...world, unknown: new Set([a.uid]) }), { kind: 'ActivityUnknown', presets: [a.uid] });
  });
  it('is who holds the room', () => {
    const busy = new Map([[a.uid, 1]]);
    assert.deepEqual(reasonOf({ ...world, busy }), { kind: 'WaitingForCapacity', holders: [a.uid] });
    const higher = { ...world, busy, presets: [{ ...a, priority: 1 }, b] };
    assert.deepEqual(reasonOf(higher), { kind: 'HigherPriority', holders: [a.uid] });
    const leaving = { ...world, replicas: [aReplica(a, stoppingSince(80))] };
    assert.deepEqual(reasonOf(leaving), { kind: 'WaitingForDrain', leaving: [a.uid] });
  });
});
