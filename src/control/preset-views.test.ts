import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { replicaId, type PresetUid } from '../domain/ids.ts';
import type { Catalog } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import { instant, seconds } from '../domain/units.ts';
import { A_FAILURE, aPool, aPreset, aReplica, readySince, startingSince } from '../testing/worlds.ts';
import { PresetViews, type PresetView, type ViewNotes } from './preset-views.ts';
import { standingOf } from './standing-of.ts';

const [a, b, c] = [aPreset('a'), aPreset('b'), aPreset('c')];
const ALL = [a, b, c];
const NOTHING: ViewNotes = {
  orders: new Map(),
  backOffs: new Map(),
  rejections: new Map(),
  loads: new Map(),
  blocked: new Map(),
  words: { nameOf: () => undefined, schedulerWords: () => undefined },
};

const NOTE = {
  failure: A_FAILURE,
  rendered: a.rendered,
  count: 1,
  firstAt: A_FAILURE.at,
  counted: [],
  until: instant(9),
};
const REJECTION = {
  ...{
    failure: A_FAILURE,
    rendered: a.rendered,
    footprint: new Map(),
    found: [],
    at: instant(0),
    until: instant(9),
    count: 1,
  },
  ...{ spent: false, isTriedAgain: false, isHopeless: true },
};

const uids = fc.subarray(ALL.map(({ uid }) => uid));
const mapOf = <T>(value: (uid: PresetUid) => T): fc.Arbitrary<Map<PresetUid, T>> =>
  uids.map((some) => new Map(some.map((uid) => [uid, value(uid)])));

const notes: fc.Arbitrary<ViewNotes> = fc.record({
  orders: mapOf(() => ({ kind: 'load', since: instant(0) }) as const),
  backOffs: mapOf(() => NOTE),
  rejections: mapOf(() => REJECTION),
  loads: mapOf(() => seconds(1)),
  blocked: mapOf((preset) => ({ preset, reason: { kind: 'AutoloadOff' } as const, position: undefined })),
  words: fc.constant(NOTHING.words),
});
const replicas = fc.subarray([
  aReplica(a, readySince(0)),
  aReplica(b, startingSince(0)),
  aReplica(b, readySince(0), { id: replicaId('b-2') }),
]);
const catalog: fc.Arbitrary<Catalog> = fc.record({
  pools: fc.constantFrom([], [aPool()], [aPool({ paused: true })]),
  presets: fc.subarray(ALL).chain((some) => fc.constantFrom(some, some.toReversed())),
});

/** Each made from all that is noted. */
const lookAnew = ({ pools, presets }: Catalog, seen: readonly Replica[], noted: ViewNotes): readonly PresetView[] =>
  presets.map((preset) => ({
    preset,
    replicas: seen.filter((replica) => replica.preset === preset.uid),
    standing: standingOf(preset, { ...noted, pools: new Map(pools.map((pool) => [pool.name, pool])) }),
  }));

describe('the views of presets', () => {
  it('tell all that is noted, whatever was looked at before', () => {
    const look = fc.tuple(notes, replicas);
    const looks = fc.array(fc.tuple(catalog, fc.array(look, { minLength: 1, maxLength: 4 })), { maxLength: 4 });
    fc.assert(
      fc.property(looks, (all) => {
        const views = new PresetViews();
        for (const [declared, times] of all)
          for (const [noted, seen] of times)
            assert.deepEqual(views.look(declared, seen, noted), lookAnew(declared, seen, noted));
      }),
      { numRuns: 500 },
    );
  });

  it('are the very same as before of presets of which nothing is noted', () => {
    const declared = { pools: [aPool()], presets: ALL };
    const views = new PresetViews();
    const [, before] = views.look(declared, [], NOTHING);
    const [first, second] = views.look(declared, [aReplica(a, readySince(0))], NOTHING);
    assert.equal(first?.replicas.length, 1);
    assert.equal(second, before);
  });
});
