import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { instant, milliseconds } from '../domain/units.ts';
import {
  clusterWorld,
  draining,
  podOf,
  ready,
  starting,
  stopping,
  uidOf,
  type WorldSketch,
} from '../testing/cluster-worlds.ts';
import { declared, declaredPreset } from '../testing/declared-objects.ts';
import { situationsOf } from './situations.ts';
import { findTransitions } from './transitions.ts';

const chat = declared('chat', [declaredPreset('a'), declaredPreset('c')]);

/** The Events of a walk through worlds, as `reason replica: note`. */
function tell(...sketches: (WorldSketch & { readonly objects?: (typeof chat)[] })[]): string[] {
  const looks = sketches.map(({ objects = [chat], ...sketch }) => situationsOf(clusterWorld(objects, sketch)));
  return looks.flatMap((after, index) => {
    const before = looks[index - 1];
    const found = before === undefined ? [] : findTransitions(before, after);
    return found.map(({ reason, replica = '-', note }) => `${reason} ${replica}: ${note}`);
  });
}

const a = 'chat/a';
const failing = { reason: 'it broke', logTail: [], exitCode: 1, failures: 1, retryAt: instant(9) };

const render: NonNullable<WorldSketch['render']> = (settings) => ({
  ok: true,
  template: { rendered: 'hash', settings },
});
const lost = { code: 'NodeLost', reason: 'its node is gone', exitCode: undefined, logTail: [], at: instant(5), startedAt: instant(0), readyFor: milliseconds(4) } as const; // prettier-ignore
/** The last of so many in a row, after which it may be tried again at once. */
const failuresOf = (count: number): NonNullable<WorldSketch['failures']> =>
  new Map([[uidOf(a), { failure: lost, rendered: 'hash', count, firstAt: lost.at, counted: [], until: instant(5) }]]);

describe('of a replica is told', () => {
  it('once each: that its pod is created, that it is ready, and that it is gone and why', () => {
    const evicted = { kind: 'evicted', beneficiary: uidOf('chat/c') } as const;
    const life = [
      {},
      { replicas: [podOf(a, starting, 'start:x')] },
      { replicas: [podOf(a, starting, 'p')] },
      { replicas: [podOf(a, starting, 'p')] },
      { replicas: [podOf(a, ready(), 'p')] },
      { replicas: [podOf(a, ready(), 'p')] },
      { replicas: [podOf(a, draining(evicted), 'p')] },
      { replicas: [podOf(a, stopping(evicted), 'p')] },
      {},
      {},
    ];
    assert.deepEqual(tell(...life), [
      'Started p: a: its pod is created',
      'Loaded p: a: it is ready after 1.5 s',
      'Evicted p: a: it is gone, because it makes room for ml/chat/c',
    ]);
  });

  it('that it is ready, where nobody knows how long its load took', () => {
    const unseen = { ...ready(), loadTime: undefined };
    assert.deepEqual(tell({ replicas: [podOf(a, starting, 'p')] }, { replicas: [podOf(a, unseen, 'p')] }), [
      'Loaded p: a: it is ready',
    ]);
  });

  it('nothing where a drain is taken back, and where an order never became a pod', () => {
    const idle = draining({ kind: 'idle' });
    assert.deepEqual(
      tell({ replicas: [podOf(a, ready())] }, { replicas: [podOf(a, idle)] }, { replicas: [podOf(a, ready())] }),
      [],
    );
    assert.deepEqual(tell({ replicas: [podOf(a, starting, 'start:x')] }, {}), []);
  });

  it('that it was unloaded for its idle timeout', () => {
    assert.deepEqual(tell({ replicas: [podOf(a, stopping({ kind: 'idle' }), 'p')] }, {}), [
      'Unloaded p: a: it is gone, because nobody has used it for its idle timeout',
    ]);
  });
});

describe('a failure is told', () => {
  const failed = { standings: { [a]: { backOff: failing } } };
  const remains = [podOf(a, stopping({ kind: 'failed' }), 'p')];

  it('once, with its reason, and again for the next one', () => {
    const again = { standings: { [a]: { backOff: { ...failing, failures: 2 } } } };
    assert.deepEqual(
      tell(
        { replicas: [podOf(a, starting, 'p')] },
        { ...failed, replicas: remains },
        { ...failed, replicas: remains },
        failed,
        again,
      ),
      ['Failed p: a: it broke', 'Failed -: a: it broke'],
    );
  });

  it('in the scheduler’s words where no node takes its pod, once for each pod', () => {
    const before = { replicas: [podOf(a, starting, 'p')], schedulerWords: { p: 'no GPU is free' } };
    const refused = { ...before, replicas: remains };
    const note = 'Unschedulable p: a: no node takes its pod: no GPU is free';
    assert.deepEqual(tell(before, refused, refused, {}), [note]);
    assert.deepEqual(tell({}, refused), ['Started p: a: its pod is created', note], 'both were seen at once');
    const hopeless = { ...refused, standings: { [a]: { backOff: { ...failing, code: 'Unschedulable' as const } } } };
    assert.deepEqual(tell(before, hopeless, hopeless, { standings: hopeless.standings }, {}), [note]);
  });

  it('also where it is tried again at once', () => {
    const ended = 'Failed p: a: its llama-server has ended without an order';
    const running = { replicas: [podOf(a, ready(), 'p')] };
    const next = podOf(a, starting, 'start:y');
    assert.deepEqual(tell(running, { replicas: [...remains, next] }, { replicas: [next] }), [ended]);
    assert.deepEqual(tell(running, { replicas: [next] }), [ended]);
    const known = { render, failures: failuresOf(1) };
    const why = 'Failed p: a: its node is gone';
    assert.deepEqual(tell(running, { ...known, replicas: [...remains, next] }, { ...known, replicas: [next] }), [why]);
    assert.deepEqual(tell({ ...running, ...known }, { ...known, replicas: [next] }), [ended], 'that is told already');
    assert.deepEqual(tell({ ...running, ...known }, { render, failures: failuresOf(2), replicas: [next] }), [why]);
  });
});

test('what is refused is told when it begins or changes its reason, and lost names when they change', () => {
  const other = declared('other', [declaredPreset('c')], { createdAt: '2027-01-01T00:00:00Z' });
  const wider = declared('other', [declaredPreset('c', { aliases: ['z', 'a'] })], {
    createdAt: '2027-01-01T00:00:00Z',
  });
  const both = { objects: [chat, other] };
  const wide = { objects: [chat, wider] };
  assert.deepEqual(tell({}, both, both, { ...both, pools: [] }, wide, wide), [
    'NameConflict -: c: the name "c" belongs to ml/chat',
    'PoolNotFound -: a: the ModelPool "default" does not exist: create it, or name another in spec.pool',
    'PoolNotFound -: c: the ModelPool "default" does not exist: create it, or name another in spec.pool',
    'PoolNotFound -: c: the ModelPool "default" does not exist: create it, or name another in spec.pool',
    'NameConflict -: c: the name "c" belongs to ml/chat, the name "a" belongs to ml/chat',
  ]);
});

test('of an object that is gone nothing is told', () => {
  assert.deepEqual(tell({ replicas: [podOf(a, ready())] }, { objects: [] }), []);
});
