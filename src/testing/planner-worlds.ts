import fc from 'fast-check';
import type { Activity, Demand, Peak } from '../domain/activity.ts';
import { binName, poolName, presetUid, replicaId, type BinName, type PoolName, type PresetUid } from '../domain/ids.ts';
import type { LearnedLimit } from '../domain/learned-limit.ts';
import type { BackOff, Order } from '../domain/order.ts';
import type { Bin, Pool } from '../domain/pool.ts';
import type { Preset } from '../domain/preset.ts';
import { holdsCapacity, type DrainCause, type Replica, type ReplicaState } from '../domain/replica.ts';
import { NO_RESOURCES, plus, type Resources } from '../domain/resources.ts';
import { instant, milliseconds, type Instant } from '../domain/units.ts';
import type { PlanInput } from '../planner/plan-input.ts';
import { reservationsAfterRestart } from '../planner/reservations.ts';
import { describeWorld } from './planner-describe.ts';
import { binsOf, fits, footprintOf, lieIn } from './planner-oracle.ts';
import {
  askedRow,
  loadedRow,
  NOW,
  onlyOf,
  poolRow,
  presetRow,
  rarely,
  type LimitRow,
  type PoolRow,
  type PresetRow,
  type ReplicaRow,
  type StateRow,
} from './planner-rows.ts';
import { aPreset, readySince } from './worlds.ts';

interface Rows {
  readonly pools: readonly PoolRow[];
  readonly presets: readonly PresetRow[];
  readonly crowded: boolean;
}

/** How much of what makes a world hard to judge it may have. */
export interface Flavour {
  readonly pools: number;
  readonly presets: number;
  /** Learned limits and reservations. */
  readonly memories: boolean;
  /** More than fits, sometimes. */
  readonly crowds: boolean;
}

const ANY: Flavour = { pools: 3, presets: 8, memories: true, crowds: true };

/** Anything a planner may ever be asked about; mostly, what lies in a bin fits there. */
export const anyWorld = (flavour: Partial<Flavour> = {}): fc.Arbitrary<PlanInput> => {
  const { pools, presets, memories, crowds } = { ...ANY, ...flavour };
  const bare = memories ? presetRow : presetRow.map((row) => ({ ...row, reserved: undefined, limit: undefined }));
  return fc
    .record({
      pools: fc.array(poolRow, { minLength: 1, maxLength: pools }),
      presets: fc.array(bare, { minLength: 1, maxLength: presets }),
      crowded: crowds ? rarely(5) : fc.constant(false),
    })
    .map((rows) => described(toInput(rows)));
};

/** Few bins, and large ones: so that several sets of victims would do. */
const contended = (row: PoolRow): PoolRow => ({
  ...row,
  paused: false,
  maxLoaded: row.maxLoaded < 3 ? 0 : row.maxLoaded,
  sizes: row.sizes.slice(0, 2).map(({ size, known }) => ({ size: plus(size, AMPLE), known })),
});
const AMPLE: Resources = new Map([
  ['gpu', 3],
  ['vram', 6],
]);

/** One pool full of what nobody asks for, and one or two wishes: what the choice of victims is about. */
export const contendedWorld = (): fc.Arbitrary<PlanInput> =>
  fc
    .record({
      pool: poolRow.map(contended),
      asked: fc.array(askedRow, { minLength: 1, maxLength: 2 }),
      loaded: fc.array(loadedRow, { minLength: 1, maxLength: 6 }),
    })
    .map(({ pool, asked, loaded }) =>
      described(toInput({ pools: [pool], presets: [...loaded, ...asked], crowded: false })),
    );

/** Shows itself in the message of a test that fails. */
const described = (input: PlanInput): PlanInput =>
  Object.defineProperty({ ...input }, fc.toStringMethod, { value: () => describeWorld(input) });

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const uidAt = (index: number): PresetUid => {
  const name = NAMES[index];
  return presetUid(name === undefined ? 'nobody-uid' : `${name}-uid`);
};

/** One preset of a world, and what is said of it. */
interface Known {
  readonly row: PresetRow;
  readonly preset: Preset;
}

function toInput(rows: Rows): PlanInput {
  const pools = rows.pools.map(toPool);
  const known = rows.presets.map((row, index) => ({ row, preset: toPreset(row, index, rows.pools) }));
  const presets = known.flatMap(({ row, preset }) => (row.declared ? [preset] : []));
  const placed = placeAll(known, pools, rows.crowded);
  const replicas = placed.map(({ replica }) => replica);
  const byUid = <T>(value: (one: Known) => T | undefined): ReadonlyMap<PresetUid, T> => {
    const found = known.map((one) => [one, value(one)] as const);
    return new Map(found.flatMap(([{ preset }, one]) => (one === undefined ? [] : [[preset.uid, one]])));
  };
  const now = instant(NOW);
  const world = { pools, presets, replicas, now };
  return {
    ...world,
    activity: byUid(({ row, preset }) => (row.declared ? activityOf(row, preset, placed) : undefined)),
    demand: byUid(({ row }) => (row.declared ? demandOf(row) : undefined)),
    inFlight: new Map(
      placed.flatMap(({ replica, row }) => (row.inFlight === undefined ? [] : [[replica.id, row.inFlight]])),
    ),
    orders: byUid(({ row, preset }) =>
      row.declared
        ? orderOf(
            row,
            replicas.filter((one) => one.preset === preset.uid),
          )
        : undefined,
    ),
    backOffs: byUid(({ row }) => backOffOf(row)),
    lastUses: byUid(({ row, preset }) => (row.declared ? lastUseOf(activityOf(row, preset, placed)) : undefined)),
    peaks: byUid(({ row, preset }) => peakOf(row, preset, inFlightOf(preset, placed))),
    learnedLimits: known.flatMap(({ row, preset }) => (row.declared ? limitsOf(row.limit, preset, world) : [])),
    reservations: new Map([
      ...reservationsAfterRestart(world),
      ...byUid(({ row, preset }) => reservationOf(row, preset, pools)),
    ]),
  };
}

const toPool = (row: PoolRow, index: number): Pool => ({
  name: poolName(`p${index}`),
  maxLoaded: row.maxLoaded,
  bins: row.sizes.map(({ size, known }, bin): Bin => ({
    name: binName(`bin${bin}`),
    size: known && row.counted.length > 0 ? onlyOf(size, row.counted) : undefined,
  })),
  eviction: row.eviction,
  paused: row.paused,
  minResidency: milliseconds(row.minResidency),
  fairAfter: milliseconds(row.fairAfter),
});

const poolAt = (index: number, pools: readonly unknown[]): PoolName => poolName(`p${index % pools.length}`);

function toPreset(row: PresetRow, index: number, pools: readonly PoolRow[]): Preset {
  const base = aPreset(String(NAMES[index]));
  const { minReplicas, spread, targetInFlight, autoload, idleTimeout } = row;
  const counted = row.pool === 'lost' ? undefined : pools[row.pool % pools.length]?.counted;
  return {
    ...base,
    pool: row.pool === 'lost' ? poolName('lost') : poolAt(row.pool, pools),
    footprint: counted === undefined || row.foreign ? row.footprint : onlyOf(row.footprint, counted),
    priority: row.priority,
    scaling: {
      ...base.scaling,
      minReplicas,
      maxReplicas: Math.max(1, minReplicas + spread),
      targetInFlight,
      autoload,
      idleTimeout: milliseconds(idleTimeout),
    },
  };
}

interface Placed {
  readonly row: ReplicaRow;
  readonly replica: Replica;
}

/** In an orderly world a replica that fits nowhere is left out, and one that does not fit where it should lies elsewhere. */
function placeAll(known: readonly Known[], pools: readonly Pool[], crowded: boolean): readonly Placed[] {
  const placed: Placed[] = [];
  const presets = new Map(known.map(({ preset }) => [preset.uid, preset]));
  for (const { row, preset } of known) {
    for (const [index, one] of row.replicas.entries()) {
      const replica = toReplica(one, preset, index, pools);
      const others = placed.map((other) => other.replica);
      const bin = crowded || !holdsCapacity(replica) ? replica.bin : roomFor(replica, others, { pools, presets });
      if (bin !== 'none') placed.push({ row: one, replica: { ...replica, bin } });
    }
  }
  return placed;
}

interface Grounds {
  readonly pools: readonly Pool[];
  readonly presets: ReadonlyMap<PresetUid, Preset>;
}

function roomFor(replica: Replica, others: readonly Replica[], grounds: Grounds): BinName | undefined | 'none' {
  const pool = grounds.pools.find(({ name }) => name === replica.pool);
  if (pool === undefined) return replica.bin;
  const own = others.filter((other) => other.pool === pool.name && holdsCapacity(other));
  const need = footprintOf(replica, grounds.presets);
  const possible = pool.bins.filter((bin) => fits(need, { bin, pool }, own, grounds.presets)).map(({ name }) => name);
  if (replica.bin === undefined) return possible.length === pool.bins.length ? undefined : 'none';
  if (possible.includes(replica.bin)) return replica.bin;
  const [first] = possible;
  return first === undefined ? 'none' : first;
}

function toReplica(row: ReplicaRow, preset: Preset, index: number, pools: readonly Pool[]): Replica {
  const pool = row.older === 'pool' ? poolAt(index + 1, pools) : preset.pool;
  const bins = binsOf(pool, pools);
  return {
    id: replicaId(`${idPrefix(preset)}${preset.model}#${index}`),
    preset: preset.uid,
    pool,
    bin: row.bin === undefined || bins.length === 0 ? undefined : bins[row.bin % bins.length]?.name,
    footprint: row.footprint ?? preset.footprint,
    rendered: row.older === 'rendered' || row.older === 'serves' ? 'older' : preset.rendered,
    serves: row.older === 'serves' ? 'older' : preset.serves,
    state: toState(row.state, preset),
  };
}

/** So that the order of ids is not that of names. */
const idPrefix = ({ model }: Preset): number => NAMES.length - NAMES.findIndex((name) => name === model);

function toState(row: StateRow, preset: Preset): ReplicaState {
  const since = instant(row.since);
  switch (row.kind) {
    case 'starting':
      return { kind: 'starting', since };
    case 'ready':
      return readySince(row.since, row.loadTime);
    case 'draining':
    case 'stopping':
      return { kind: row.kind, since, cause: toCause(row.cause, preset) };
    case 'failed':
      return { kind: 'failed', failure: failedAt(row.since) };
  }
}

const failedAt = (at: number): Extract<ReplicaState, { kind: 'failed' }>['failure'] => ({
  code: 'CrashedOnLoad',
  reason: 'it broke',
  exitCode: 1,
  logTail: [],
  at: instant(at),
  startedAt: undefined,
  readyFor: undefined,
});

function toCause({ kind, beneficiary }: { kind: DrainCause['kind']; beneficiary: number }, preset: Preset): DrainCause {
  if (kind !== 'evicted' && kind !== 'fairness') return { kind };
  const other = uidAt(beneficiary);
  return { kind, beneficiary: other === preset.uid ? uidAt(NAMES.length) : other };
}

/** What the sum of the requests at its replicas says; a replica of which nobody knows may be the only one that is unknown. */
function activityOf(row: PresetRow, preset: Preset, placed: readonly Placed[]): Activity | undefined {
  if (row.unknown) return row.demand === undefined ? { kind: 'unknown' } : undefined;
  const inFlight = inFlightOf(preset, placed);
  return inFlight > 0 ? { kind: 'busy', inFlight } : { kind: 'idle', since: instant(row.idleSince) };
}

function inFlightOf({ uid }: Preset, placed: readonly Placed[]): number {
  const own = placed.filter(({ replica }) => replica.preset === uid);
  return own.reduce((sum, { row }) => sum + (row.inFlight ?? 0), 0);
}

const demandOf = ({ demand }: PresetRow): Demand | undefined =>
  demand === undefined ? undefined : { waiting: 1, since: instant(demand) };
/** A load order holds until it is ready, an unload order until all is gone. */
function orderOf({ order }: PresetRow, own: readonly Replica[]): Order | undefined {
  if (order === undefined) return undefined;
  const isDone = order.kind === 'load' ? own.some(({ state }) => state.kind === 'ready') : !own.some(holdsCapacity);
  return isDone ? undefined : { kind: order.kind, since: instant(order.since) };
}
const lastUseOf = (activity: Activity | undefined): Instant | undefined =>
  activity?.kind === 'idle' ? activity.since : undefined;
const backOffOf = ({ backOff }: PresetRow): BackOff | undefined =>
  backOff === undefined ? undefined : { until: instant(backOff) };
const peakOf = ({ peak }: PresetRow, { scaling }: Preset, inFlight: number): Peak | undefined =>
  peak === undefined || scaling.maxReplicas === 1
    ? undefined
    : { inFlight: Math.max(peak.inFlight, inFlight), since: instant(peak.since) };

function reservationOf({ reserved }: PresetRow, { pool }: Preset, pools: readonly Pool[]): BinName | undefined {
  if (reserved === undefined) return undefined;
  const bins = binsOf(pool, pools);
  return bins[reserved % Math.max(1, bins.length)]?.name;
}

/** As a control loop would have noted it, had the preset been refused with what is in use now, or with a little more. */
function limitsOf(
  row: LimitRow | undefined,
  { uid, pool, footprint }: Preset,
  { pools, presets, replicas }: Pick<PlanInput, 'pools' | 'presets' | 'replicas'>,
): LearnedLimit[] {
  if (row === undefined) return [];
  const { until, spent, slack } = row;
  const byUid = new Map(presets.map((one) => [one.uid, one]));
  const bins = binsOf(pool, pools).filter(
    (_, index, { length }) => row.bin === undefined || index === row.bin % length,
  );
  return bins.map(({ name: bin }) => {
    const inUse = replicas.filter((one) => one.pool === pool && holdsCapacity(one) && lieIn(one, bin));
    const used = inUse.map((one) => footprintOf(one, byUid)).reduce<Resources>(plus, NO_RESOURCES);
    const total = plus(plus(used, footprint), slack === 0 ? NO_RESOURCES : footprint);
    const replicasThen = inUse.length + 1 + slack;
    return { pool, bin, preset: uid, footprint, total, replicas: replicasThen, until: instant(until), spent };
  });
}
