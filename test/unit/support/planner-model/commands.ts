import fc from 'fast-check';
import { milliseconds, minutes, seconds, type Duration } from '../../../../src/domain/units.ts';
import type { Declarations, PoolSpec, PresetSpec } from './declarations.ts';
import { LONGEST } from './longest.ts';
import type { ModelWorld } from './model-world.ts';
import { durations } from './worlds.ts';

/** What fast-check walks with: the declarations are all that a command has to know beforehand. */
interface Model {
  readonly declarations: Declarations;
}

type Walk = fc.Command<Model, ModelWorld>;

/** A kind of things that may happen. */
export type Happenings = fc.Arbitrary<Walk>;

/** Longer than any bound. */
const PATIENT = minutes(60);

/** Something that happens to the world. Mostly everything then has its turn; else the next one happens in the same tick. */
class Happening implements Walk {
  readonly #what: string;
  readonly #happen: (world: ModelWorld) => void;
  readonly #settles: boolean;
  readonly #isPossible: (model: Model) => boolean;

  constructor(what: string, happen: (world: ModelWorld) => void, more: Partial<Circumstances> = {}) {
    const { settles = true, isPossible = () => true } = more;
    this.#what = settles ? what : `${what} and at once`;
    this.#happen = happen;
    this.#settles = settles;
    this.#isPossible = isPossible;
  }

  check(model: Readonly<Model>): boolean {
    return this.#isPossible(model);
  }

  run(_: Model, world: ModelWorld): void {
    this.#happen(world);
    if (this.#settles) world.settle();
  }

  toString(): string {
    return this.#what;
  }
}

interface Circumstances {
  readonly settles: boolean;
  readonly isPossible: (model: Model) => boolean;
}

const settles = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
const slot = fc.nat({ max: 4 });
const exists = (index: number) => (model: Model) => index < model.declarations.slots;
const isDeclared = (index: number) => (model: Model) =>
  index < model.declarations.slots && model.declarations.at(index) !== undefined;

const asks: Happenings = fc
  .record({
    index: slot,
    duration: durations(LONGEST.request),
    patience: fc.oneof(fc.constant<Duration>(PATIENT), durations(seconds(20))),
    settles,
  })
  .map(
    ({ index, duration, patience, settles }) =>
      new Happening(
        `somebody asks for m${index} for ${duration}, and waits for ${patience}`,
        ({ traffic, declarations }) => {
          traffic.ask({ model: declarations.nameAt(index), duration, patience });
        },
        { settles, isPossible: exists(index) },
      ),
  );

const loops: Happenings = fc.record({ index: slot, duration: durations(LONGEST.request, seconds(2)) }).map(
  ({ index, duration }) =>
    new Happening(
      `somebody asks for m${index} for ${duration} again and again`,
      ({ traffic, declarations }) => {
        traffic.begin({ model: declarations.nameAt(index), duration, isOver: false }, PATIENT);
      },
      { isPossible: exists(index) },
    ),
);

const ends: Happenings = slot.map(
  (index) =>
    new Happening(
      `those who ask for m${index} again and again stop`,
      ({ traffic, declarations }) => {
        traffic.endLoops(declarations.nameAt(index));
      },
      { isPossible: exists(index) },
    ),
);

const leaves: Happenings = fc.tuple(fc.nat({ max: 5 }), settles).map(
  ([which, settles]) =>
    new Happening(
      `number ${which} of those who wait gives up`,
      ({ traffic }) => {
        traffic.giveUp(which);
      },
      { settles },
    ),
);

const passes: Happenings = fc
  .oneof(durations(seconds(5)), durations(seconds(40)), durations(minutes(5), seconds(60)))
  .map(
    (time) =>
      new Happening(`${time} pass`, (world) => {
        world.pass(time);
      }),
  );

type Change<T> = readonly [what: string, change: (spec: T) => Partial<T>];

const oneOf = <T>(...changes: readonly Change<T>[]): fc.Arbitrary<Change<T>> => fc.constantFrom(...changes);

const presetChanges: fc.Arbitrary<Change<PresetSpec>> = fc.oneof(
  oneOf<PresetSpec>(
    ['gets other arguments', ({ args }) => ({ args: args + 1 })],
    ['gets more other arguments', ({ args }) => ({ args: args + 2 })],
    ['gets its arguments of before', ({ args }) => ({ args: Math.max(1, args - 1) })],
    ['gets another model file', ({ source }) => ({ source: source + 1 })],
    ['moves to the other pool', ({ pool }) => ({ pool: 1 - pool })],
    ['is not loaded by requests', () => ({ autoload: false })],
    ['is loaded by requests', () => ({ autoload: true })],
    ['is removed', () => ({ declared: false })],
    ['is declared', () => ({ declared: true })],
  ),
  fc.nat({ max: 3 }).map((gpu): Change<PresetSpec> => [`needs ${gpu} gpu`, () => ({ gpu })]),
  fc.nat({ max: 2 }).map((priority): Change<PresetSpec> => [`has priority ${priority}`, () => ({ priority })]),
  fc
    .tuple(fc.nat({ max: 1 }), fc.constantFrom(1, 2))
    .map(([minReplicas, maxReplicas]): Change<PresetSpec> => [
      `has ${minReplicas} to ${maxReplicas} replicas`,
      () => ({ minReplicas, maxReplicas }),
    ]),
  durations(seconds(60), milliseconds(0)).map((idleTimeout): Change<PresetSpec> => [
    `stays for ${idleTimeout} without requests`,
    () => ({ idleTimeout }),
  ]),
);

const edits: Happenings = fc.tuple(slot, presetChanges, settles).map(
  ([index, [what, change], settles]) =>
    new Happening(
      `m${index} ${what}`,
      (world) => {
        world.declarations.edit(index, change);
        world.declare();
      },
      { settles, isPossible: exists(index) },
    ),
);

const recreations: Happenings = fc.tuple(slot, settles).map(
  ([index, settles]) =>
    new Happening(
      `m${index} is removed and declared anew`,
      (world) => {
        world.declarations.recreate(index);
        world.declare();
      },
      { settles, isPossible: isDeclared(index) },
    ),
);

const poolChanges: fc.Arbitrary<Change<PoolSpec>> = fc.oneof(
  oneOf<PoolSpec>(
    ['is paused', () => ({ paused: true })],
    ['goes on', () => ({ paused: false })],
    ['is removed', () => ({ declared: false })],
    ['is declared', () => ({ declared: true })],
  ),
  fc.nat({ max: 3 }).map((maxLoaded): Change<PoolSpec> => [`has room for ${maxLoaded}`, () => ({ maxLoaded })]),
  fc
    .integer({ min: 1, max: 4 })
    .map((gpu): Change<PoolSpec> => [
      `has ${gpu} gpu in its first bin`,
      ({ bins: [first, ...others] }) => ({ bins: first === undefined ? others : [{ ...first, gpu }, ...others] }),
    ]),
);

const poolEdits: Happenings = fc.tuple(fc.nat({ max: 1 }), poolChanges, settles).map(
  ([index, [what, change], settles]) =>
    new Happening(
      `pool${index} ${what}`,
      (world) => {
        world.declarations.editPool(index, change);
        world.declare();
      },
      { settles },
    ),
);

const orders: Happenings = fc.tuple(slot, fc.constantFrom('load', 'unload'), settles).map(
  ([index, kind, settles]) =>
    new Happening(
      `m${index} is ordered to ${kind}`,
      (world) => {
        const preset = world.declarations.at(index);
        if (preset !== undefined) world.order(kind, preset.uid);
      },
      { settles, isPossible: isDeclared(index) },
    ),
);

const breakdowns: Happenings = fc.oneof(
  fc.nat({ max: 5 }).map(
    (which) =>
      new Happening(`process ${which} crashes`, ({ backend }) => {
        const all = backend.observe();
        const found = all[which % Math.max(1, all.length)];
        if (found !== undefined) backend.crash(found.id);
      }),
  ),
  fc.constant(
    new Happening('the edge is restarted', (world) => {
      world.restartEdge();
    }),
  ),
);

/** So that most of a walk is ordinary life. */
const repairs: Happenings = fc.constant(
  new Happening('everything is declared and open, and reports are live', (world) => {
    const { declarations } = world;
    for (let index = 0; index < declarations.slots; index += 1) {
      declarations.edit(index, () => ({ declared: true, autoload: true }));
    }
    for (const index of [0, 1]) declarations.editPool(index, () => ({ declared: true, paused: false }));
    world.declare();
    world.source.hear();
  }),
);

const reports: Happenings = fc.constantFrom('stale', 'silent', 'live', 'live').map(
  (hearing) =>
    new Happening(`reports are ${hearing}`, (world) => {
      const { source, clock } = world;
      world.disturb();
      if (hearing === 'live') source.hear();
      else source.lose(hearing, clock.now());
    }),
);

/** What clients do while time passes. */
export const calmHappenings: readonly Happenings[] = [asks, asks, loops, loops, ends, leaves, passes, passes, passes];

/** All that may happen, the likely more often. */
export const roughHappenings: readonly Happenings[] = [
  ...[...calmHappenings, ...calmHappenings],
  ...[repairs, repairs, edits, edits, recreations, poolEdits, orders, breakdowns, reports],
];
