import { binName, modelName, poolName, presetUid, type PresetUid } from '../../../../src/domain/ids.ts';
import type { Bin, Pool } from '../../../../src/domain/pool.ts';
import type { Catalog, Preset } from '../../../../src/domain/preset.ts';
import type { Replica } from '../../../../src/domain/replica.ts';
import { amountOf, type Resources } from '../../../../src/domain/resources.ts';
import type { Duration } from '../../../../src/domain/units.ts';
import { aPool, aPreset, scaled } from '../../../../src/testing/worlds.ts';

/** A bin in whole units. */
export interface BinSpec {
  /** `undefined`: nobody knows how large it is. */
  readonly gpu: number | undefined;
  readonly ram: number;
  /** How much of its gpu the scheduler really has for us; `undefined`: all that was said. */
  readonly really: number | undefined;
}

export interface PoolSpec {
  readonly maxLoaded: number;
  readonly bins: readonly BinSpec[];
  readonly paused: boolean;
  readonly minResidency: Duration;
  readonly fairAfter: Duration;
  readonly declared: boolean;
}

export interface PresetSpec {
  /** Which pool. */
  readonly pool: number;
  readonly gpu: number;
  readonly ram: number;
  readonly priority: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetInFlight: number;
  readonly idleTimeout: Duration;
  readonly autoload: boolean;
  /** What its llama-servers are told, beside the model. */
  readonly args: number;
  /** Which model it is. */
  readonly source: number;
  readonly declared: boolean;
}

/** What is declared at the beginning. */
export interface Setup {
  readonly pools: readonly PoolSpec[];
  readonly presets: readonly PresetSpec[];
}

interface Slot {
  readonly model: string;
  spec: PresetSpec;
  /** How many presets of this name there have been. */
  life: number;
}

const nameOfPool = (index: number): Pool['name'] => poolName(`pool${index}`);
const nameOfBin = (index: number): Bin['name'] => binName(`bin${index}`);
const THOUSANDTHS = 1000;

const amounts = (gpu: number, ram: number): Resources =>
  new Map(
    [['gpu', gpu * THOUSANDTHS] as const, ['ram', ram * THOUSANDTHS] as const].filter(([, amount]) => amount > 0),
  );

/** What is declared, and what really is: the truth that a test knows without looking into Corral. */
export class Declarations {
  readonly #pools: PoolSpec[];
  readonly #slots: readonly Slot[];
  /** Pools whose machines others use, too. */
  readonly #shared: ReadonlySet<Pool['name']>;
  readonly #buried = new Set<PresetUid>();
  #catalog: Catalog;

  constructor({ pools, presets }: Setup) {
    this.#pools = [...pools];
    this.#slots = presets.map((spec, index) => ({ model: `m${index}`, spec, life: 1 }));
    this.#shared = new Set(
      pools.flatMap(({ bins }, index) => (bins.some(({ really }) => really !== undefined) ? [nameOfPool(index)] : [])),
    );
    this.#catalog = this.#render();
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  /** The uids of all that were declared once and are not any more. */
  get buried(): ReadonlySet<PresetUid> {
    return this.#buried;
  }

  get slots(): number {
    return this.#slots.length;
  }

  find(uid: PresetUid): Preset | undefined {
    return this.#catalog.presets.find((preset) => preset.uid === uid);
  }

  findPool(name: Pool['name']): Pool | undefined {
    return this.#catalog.pools.find((pool) => pool.name === name);
  }

  /** The preset in a slot; `undefined`: none is declared there. */
  at(slot: number): Preset | undefined {
    const { model, life } = this.#slot(slot);
    return this.find(uidOf(model, life));
  }

  nameAt(slot: number): Preset['model'] {
    return modelName(this.#slot(slot).model);
  }

  /** Replaces a part of what one preset, or nobody, declares. */
  edit(slot: number, change: (spec: PresetSpec) => Partial<PresetSpec>): void {
    const found = this.#slot(slot);
    const before = found.spec;
    found.spec = { ...before, ...change(before) };
    if (before.declared && !found.spec.declared) this.#bury(found);
    this.#catalog = this.#render();
  }

  /** Removes a preset, and declares another one under its name at once. */
  recreate(slot: number): void {
    const found = this.#slot(slot);
    if (found.spec.declared) this.#bury(found);
    found.spec = { ...found.spec, declared: true };
    this.#catalog = this.#render();
  }

  editPool(index: number, change: (spec: PoolSpec) => Partial<PoolSpec>): void {
    this.#pools.splice(index, 1, ...this.#pools.slice(index, index + 1).map((spec) => ({ ...spec, ...change(spec) })));
    this.#catalog = this.#render();
  }

  /** The scheduler has what was said from now on. */
  heal(): void {
    for (const [index, spec] of this.#pools.entries()) {
      this.#pools[index] = { ...spec, bins: spec.bins.map((bin) => ({ ...bin, really: undefined })) };
    }
  }

  /** What a replica takes: as it was started, or as its preset says while it is declared otherwise unchanged. */
  footprintOf(replica: Replica): Resources {
    const preset = this.find(replica.preset);
    const isCurrent = preset?.rendered === replica.rendered && preset.pool === replica.pool;
    return isCurrent ? preset.footprint : replica.footprint;
  }

  /** Whether the scheduler has room in a bin for all of these. */
  hasPlace(pool: Pool['name'], bin: Bin['name'], there: readonly Resources[]): boolean {
    const found = this.#pools.find((_, index) => nameOfPool(index) === pool);
    const really = found?.bins.find((_, index) => nameOfBin(index) === bin)?.really;
    return really === undefined || there.reduce((sum, one) => sum + amountOf(one, 'gpu'), 0) <= really * THOUSANDTHS;
  }

  /** Whether the scheduler refuses, or has refused, replicas in this pool that have room by what is declared. */
  mayRefuse(pool: Pool['name']): boolean {
    return this.#shared.has(pool);
  }

  #slot(slot: number): Slot {
    const found = this.#slots[slot];
    if (found === undefined) throw new RangeError(`there are ${this.#slots.length} presets, not ${slot + 1}`);
    return found;
  }

  #bury(slot: Slot): void {
    this.#buried.add(uidOf(slot.model, slot.life));
    slot.life += 1;
  }

  #render(): Catalog {
    return {
      pools: this.#pools.flatMap((spec, index) => (spec.declared ? [renderPool(spec, index)] : [])),
      presets: this.#slots.flatMap(({ model, spec, life }) => (spec.declared ? [renderPreset(model, spec, life)] : [])),
    };
  }
}

const uidOf = (model: string, life: number): PresetUid => presetUid(`${model}.${life}`);

const renderPool = ({ bins, maxLoaded, paused, minResidency, fairAfter }: PoolSpec, index: number): Pool =>
  aPool({
    name: nameOfPool(index),
    maxLoaded,
    bins: bins.map(({ gpu, ram }, place) => ({
      name: nameOfBin(place),
      size: gpu === undefined ? undefined : amounts(gpu, ram),
    })),
    paused,
    minResidency,
    fairAfter,
  });

function renderPreset(model: string, spec: PresetSpec, life: number): Preset {
  const { minReplicas, maxReplicas, targetInFlight, idleTimeout, autoload } = spec;
  const preset = aPreset(model, {
    uid: uidOf(model, life),
    pool: nameOfPool(spec.pool),
    footprint: amounts(spec.gpu, spec.ram),
    priority: spec.priority,
    rendered: `${model} from ${spec.source} with ${spec.args}`,
    serves: `${model} from ${spec.source}`,
  });
  return scaled(preset, { minReplicas, maxReplicas, targetInFlight, idleTimeout, autoload });
}
