import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { instant } from '../../domain/units.ts';
import {
  declared,
  type DeclaredOptions,
  declaredPool,
  declaredPreset,
  granting,
} from '../../testing/declared-objects.ts';
import type { ClusterObject } from './decode-objects.ts';
import { type ClusterRoute, createPresetReader } from './routed-presets.ts';

const WALL = Date.parse('2026-01-01T00:00:00Z');
const read = createPresetReader(() => ({ now: instant(1000), wall: WALL }));

const routes = (objects: ClusterObject[], pools: ClusterObject[] = [declaredPool()]): ClusterRoute[] =>
  read(objects, pools);
const namesOf = (objects: ClusterObject[], pools?: ClusterObject[]): string[][] =>
  routes(objects, pools).map(({ preset }) => [preset.model, ...preset.aliases]);

const withStatus = (status: object, options: DeclaredOptions = {}): ClusterObject =>
  declared('a', [declaredPreset('a', { aliases: ['b'] })], { ...options, status });

/** A route of a preset whose status says this, at the generation of its spec. */
function standing(preset: object, observedGeneration = 1, pools?: ClusterObject[]): ClusterRoute['standing'] {
  const status = {
    observedGeneration,
    presets: [{ name: 'a', phase: 'Unloaded', names: ['a'], uid: 'a-uid', ...preset }],
  };
  const [route] = routes([withStatus(status)], pools);
  assert.ok(route !== undefined);
  return route.standing;
}

test('a name is routed by the status of a later Corral too, which says more than is known here', () => {
  const { presets } = granting('a', { a: ['a', 'b'] }) as { readonly presets: readonly object[] };
  const later = { presets: presets.map((preset) => ({ ...preset, later: { much: 'more' } })), others: [1] };
  assert.deepEqual(namesOf([withStatus(later)]), namesOf([withStatus({ presets })]));
  assert.ok(namesOf([withStatus(later)]).length > 0);
});

test('a name is routed where the spec declares it and the status of this very object grants it', () => {
  assert.deepEqual(namesOf([withStatus(granting('a', { a: ['a', 'b'] }))]), [['a', 'b']]);
  assert.deepEqual(namesOf([withStatus(granting('a', { a: ['b', 'stranger'] }))]), [['b']], 'a was lost');
  assert.deepEqual(namesOf([withStatus(granting('copied', { a: ['a', 'b'] }))]), []);
  assert.deepEqual(namesOf([declared('a', [declaredPreset('a')])]), [], 'nothing is granted yet');
});

test('a variant is routed where its name was granted', () => {
  const variants = [
    { model: 'v', parameters: { temperature: 0 } },
    { model: 'w', parameters: { seed: 1 } },
  ];
  const [route] = routes([
    declared('a', [declaredPreset('a', { aliases: ['b'], variants })], {
      status: granting('a', { a: ['a', 'b', 'w'] }),
    }),
  ]);
  assert.deepEqual(route?.preset.aliases, ['b']);
  assert.deepEqual(route.preset.variants, [{ name: 'w', parameters: '{"seed":1}' }]);
});

test('what is being deleted, cannot be read or belongs to another controller is not routed', () => {
  const status = granting('a', { a: ['a'] });
  assert.deepEqual(namesOf([withStatus(status, { isDeleting: true })]), []);
  assert.deepEqual(namesOf([declared('a', [{ name: 'a' }], { status })]), []);
  for (const spec of [undefined, null]) assert.deepEqual(namesOf([{ ...withStatus(status), spec }]), []);
  assert.deepEqual(namesOf([withStatus(status)], [declaredPool('default', { controllerName: 'example.com/x' })]), []);
});

test('a route carries what its layers say about scaling and queue, and what it serves', () => {
  const pool = declaredPool('default', { defaults: { scaling: { autoload: false, idleTimeout: '1m' } } });
  const object = declared('a', [declaredPreset('a', { queue: { maxWait: '5s' }, scaling: { idleTimeout: '2m' } })], {
    status: granting('a', { a: ['a'] }),
  });
  const [route] = routes([object], [pool]);
  assert.deepEqual([route?.preset.scaling.autoload, route?.preset.scaling.idleTimeout], [false, 120_000]);
  assert.deepEqual(route?.preset.queue, { maxWaiting: 256, maxWait: 5000 });
  assert.equal(route.preset.uid, 'a-uid/a');
  const moved = declared('a', [declaredPreset('a', { source: { path: '/other' } })], {
    status: object['status'] as object,
  });
  assert.notEqual(routes([moved], [pool])[0]?.preset.serves, route.preset.serves);
});

describe('a preset stands', () => {
  it('refused for the reason in its status, unless that speaks of another generation', () => {
    const refused = { reason: 'InvalidPod', message: 'engine.image is missing' };
    assert.deepEqual(standing(refused).notAccepted, refused);
    assert.equal(standing(refused, 2).notAccepted, undefined);
    assert.equal(standing({ reason: 'NameConflict', message: 'x' }).notAccepted, undefined, 'it has other names');
    assert.equal(standing({ reason: 'Idle', message: 'x' }).notAccepted, undefined);
  });

  it('without a pool or with a paused one, and not refused for a pool that is there by now', () => {
    const missing = { reason: 'PoolNotFound', message: 'x' };
    assert.deepEqual(standing(missing, 1, []), { ...standing({}), notAccepted: missing, pool: 'missing' });
    assert.equal(standing(missing).notAccepted, undefined);
    assert.equal(standing({}, 1, [declaredPool('default', { paused: true })]).pool, 'paused');
  });

  it('in a back-off for what is left of it, of five minutes at the most', () => {
    const failed = (nextRetryTime: string, generation = 1): ClusterRoute['standing']['backOff'] =>
      standing(
        { phase: 'Failed', failures: 3, message: 'it broke\nline 1\nline 2', backOff: { nextRetryTime } },
        generation,
      ).backOff;
    assert.deepEqual(failed('2026-01-01T00:00:07Z'), {
      reason: 'it broke',
      logTail: ['line 1', 'line 2'],
      exitCode: undefined,
      failures: 3,
      retryAt: 8000,
    });
    assert.equal(failed('2026-01-02T00:00:00Z')?.retryAt, 301_000);
    const backOff = { nextRetryTime: '2026-01-01T00:00:07Z' };
    const codeOf = (reason: string): unknown =>
      standing({ phase: 'Failed', reason, message: 'x', backOff }).backOff?.code;
    assert.deepEqual([codeOf('OOMKilled'), codeOf('AnythingNew')], ['OOMKilled', undefined]);
    assert.equal(failed('2025-12-31T23:59:59Z'), undefined);
    assert.equal(failed('2026-01-01T00:00:07Z', 2), undefined, 'a changed spec is tried at once');
  });

  it('in a back-off for as long as it had left when its status was read first, whatever the wall clock says later', () => {
    let moment = { now: instant(1000), wall: WALL };
    const readLater = createPresetReader(() => moment);
    const status = (nextRetryTime: string): object => ({
      observedGeneration: 1,
      presets: [{ name: 'a', phase: 'Failed', names: ['a'], uid: 'a-uid', backOff: { nextRetryTime } }],
    });
    const [far, near] = ['2026-01-01T01:00:00Z', '2026-01-01T00:00:07Z'].map((time) => withStatus(status(time)));
    const untilOf = (object: ClusterObject | undefined): unknown =>
      readLater(object === undefined ? [] : [object], [declaredPool()])[0]?.standing.backOff?.retryAt;
    assert.deepEqual([far, near].map(untilOf), [301_000, 8000]);
    moment = { now: instant(7999), wall: WALL - 3_600_000 };
    assert.deepEqual([far, near].map(untilOf), [301_000, 8000]);
    moment = { now: instant(8000), wall: WALL - 3_600_000 };
    assert.deepEqual([far, near].map(untilOf), [301_000, undefined]);
    moment = { now: instant(301_000), wall: WALL };
    assert.equal(untilOf(far), undefined, 'an edge whose clock is an hour behind asks again');
  });

  it('waiting, with the words of the operator', () => {
    const waiting = standing({ phase: 'Waiting', reason: 'WaitingForCapacity', message: 'room' });
    assert.deepEqual(waiting.waitsFor, { reason: 'WaitingForCapacity', because: 'room' });
    assert.equal(waiting.ordered, true);
    assert.equal(standing({}).ordered, false);
    const newer = standing({ phase: 'Waiting', reason: 'AnythingNew', message: 'x' });
    assert.equal(newer.waitsFor, undefined, 'a word of a later version');
  });

  it('ordered while it leaves only to be replaced, also when its pod is gone already', () => {
    const orderedAs = (phase: string, reason: string): boolean => standing({ phase, reason, message: 'x' }).ordered;
    assert.deepEqual(
      ['Draining', 'Stopping', 'Unloaded', 'Failed'].map((phase) => orderedAs(phase, 'Changed')),
      [true, true, false, false],
    );
    assert.equal(orderedAs('Draining', 'Ordered'), false);
  });

  it('at its place in the queue of its pool, as the status of that one tells', () => {
    const queue = ['b-uid/b', 'a-uid/a'];
    const pools = [declaredPool('default', {}, { status: { queue } })];
    const room = { reason: 'WaitingForCapacity', because: 'room' } as const;
    const waiting = { phase: 'Waiting', reason: room.reason, message: room.because };
    assert.deepEqual(standing(waiting, 1, pools).waitsFor, { ...room, position: 2 });
    assert.deepEqual(standing(waiting).waitsFor, room);
    assert.equal(standing({}, 1, pools).waitsFor, undefined, 'it waits no more, and the pool does not know yet');
  });

  it('with the time of its last load, if one was measured', () => {
    assert.equal(standing({ loadSeconds: 3 }).lastLoad, 3000);
    assert.equal(standing({}).lastLoad, undefined);
  });

  it('in trouble while it loads, with the words of the operator', () => {
    const trouble = { code: 'NotStarting', words: 'no disk' };
    const loading = { phase: 'Loading', reason: 'NotStarting', message: 'no disk' };
    assert.deepEqual(standing(loading).trouble, trouble);
    assert.equal(standing({ ...loading, reason: 'NameConflict' }).trouble, undefined);
    assert.equal(standing({ ...loading, phase: 'Ready' }).trouble, undefined);
  });
});

test('what a preset is follows from its objects once, until its ModelDeployment or the defaults of its pool change', () => {
  const [a, b] = ['a', 'b'].map((name) =>
    declared(name, [declaredPreset(name)], { status: granting(name, { [name]: [name] }) }),
  );
  assert.ok(a !== undefined && b !== undefined);
  const presetsOf = (objects: ClusterObject[], pool: ClusterObject) =>
    routes(objects, [pool]).map(({ preset }) => preset);
  const pool = declaredPool();
  const before = presetsOf([a, b], pool);
  const sameDefaults = { ...pool, status: { queue: [] } };
  const changed = { ...b };
  const after = presetsOf([a, changed], sameDefaults);
  assert.deepEqual(after, before);
  assert.deepEqual(
    after.map((preset, index) => preset === before[index]),
    [true, false],
  );
  const idleTimeouts = presetsOf([a, b], declaredPool('default', { defaults: { scaling: { idleTimeout: '1s' } } }));
  assert.deepEqual(
    idleTimeouts.map(({ scaling }) => scaling.idleTimeout),
    [1000, 1000],
  );
});
