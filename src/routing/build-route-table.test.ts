import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelName, poolName } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { Replica } from '../domain/replica.ts';
import { instant, milliseconds } from '../domain/units.ts';
import {
  A_FAILURE,
  aPreset,
  aReplica,
  drainingSince,
  readySince,
  scaled,
  startingSince,
  stoppingSince,
} from '../testing/worlds.ts';
import { buildRouteTable } from './build-route-table.ts';
import { createRouteBoard } from './route-board.ts';
import type { LoadFailure, Route } from './route.ts';
import { NOTHING_SAID, type Standing } from './standing.ts';

const failure: LoadFailure = { reason: 'it broke', logTail: ['x'], exitCode: 1, failures: 1, retryAt: instant(9) };
const a = aPreset('a', {
  aliases: [modelName('first'), modelName('org/a:Q4')],
  variants: [{ name: modelName('cold'), parameters: '{"temperature":0}' }],
});

function routeOf(preset: Preset, replicas: readonly Replica[] = [], standing: Partial<Standing> = {}): Route {
  const route = buildRouteTable([{ preset, replicas, standing: { ...NOTHING_SAID, ...standing } }]).find(preset.model);
  assert.ok(route !== undefined);
  return route;
}

describe('a route table', () => {
  const table = buildRouteTable([{ preset: a, replicas: [], standing: NOTHING_SAID }]);
  it('finds a model by its name, its aliases, its variants and its uid', () => {
    for (const name of ['a', 'first', 'org/a:Q4', 'cold']) assert.equal(table.find(modelName(name))?.uid, a.uid);
    assert.equal(table.findByUid(a.uid)?.preset, a);
  });
  it('finds nothing under any other name, and is not changed by looking', () => {
    for (const name of ['', 'A', 'a ', ' a', 'org/a', '__proto__', 'constructor', 'toString']) {
      assert.equal(table.find(modelName(name)), undefined, name);
    }
    assert.equal(table.routes.length, 1);
  });
});

describe('the replicas of a route', () => {
  it('are those that are ready and run what is declared now', () => {
    assert.equal(routeOf(a, [aReplica(a, readySince(0))]).replicas.length, 1);
    for (const state of [startingSince(0), drainingSince(0), stoppingSince(0)]) {
      assert.deepEqual(routeOf(a, [aReplica(a, state)]).replicas, [], state.kind);
    }
    const older = { ...aReplica(a, readySince(0)), serves: 'another' };
    assert.deepEqual(routeOf(a, [older]).replicas, []);
  });
});

describe('a route holds room', () => {
  it('in every pool in which one of its replicas is, also on its way out, and not where one has failed', () => {
    const at = (pool: string, state: Replica['state']): Replica => ({ ...aReplica(a, state), pool: poolName(pool) });
    const replicas = [
      at('p', readySince(0)),
      at('p', startingSince(0)),
      at('q', stoppingSince(0)),
      at('r', { kind: 'failed', failure: A_FAILURE }),
    ];
    assert.deepEqual(routeOf(a, replicas).holds, ['p', 'q']);
    assert.deepEqual(routeOf(a).holds, []);
  });
});

describe('the phase of a route', () => {
  const phase = (...args: Parameters<typeof routeOf>): string => routeOf(...args).phase.kind;
  it('is that of its furthest replica', () => {
    assert.equal(phase(a, [aReplica(a, readySince(0)), aReplica(a, stoppingSince(0))]), 'ready');
    assert.equal(phase(a, [aReplica(a, startingSince(0)), aReplica(a, drainingSince(0))]), 'loading');
    assert.equal(phase(a, [aReplica(a, drainingSince(0))]), 'draining');
    assert.equal(
      phase(a, [aReplica(a, stoppingSince(0))], { waitsFor: { reason: 'WaitingForCapacity', because: 'room' } }),
      'stopping',
    );
  });
  it('says why the first of those goes that give it its name', () => {
    const replicas = [aReplica(a, stoppingSince(0)), aReplica(a, drainingSince(0, { kind: 'ordered' }))];
    assert.deepEqual(routeOf(a, replicas).phase, { kind: 'draining', cause: { kind: 'ordered' } });
  });
  it('is without one what it waits for, its failure, or unloaded', () => {
    assert.equal(phase(a, [], { waitsFor: { reason: 'WaitingForCapacity', because: 'room' } }), 'waiting');
    assert.equal(
      phase(a, [], { backOff: failure, waitsFor: { reason: 'WaitingForCapacity', because: 'room' } }),
      'failed',
    );
    assert.equal(phase(a), 'unloaded');
  });
});

describe('a route without a ready replica', () => {
  const refusal = (...args: Parameters<typeof routeOf>): string | undefined => routeOf(...args).refusal?.kind;
  it('holds requests unless it knows better', () => {
    assert.equal(refusal(a), undefined);
    assert.equal(refusal(a, [], { pool: 'missing', backOff: failure }), 'pool-not-found');
    assert.equal(refusal(a, [], { pool: 'paused', backOff: failure }), 'pool-paused');
    assert.equal(refusal(a, [], { backOff: failure }), 'load-failed');
  });
  it('of a model that is too large for its pool refuses: no waiting ends that', () => {
    const waitsFor = { reason: 'TooLarge', because: 'a larger pool' } as const;
    assert.equal(refusal(a, [], { waitsFor }), 'too-large');
    assert.equal(refusal(a, [], { waitsFor: { ...waitsFor, reason: 'WaitingForCapacity' } }), undefined);
  });
  it('that is not loaded by requests holds them only while it is on its way', () => {
    const manual = scaled(a, { autoload: false });
    assert.equal(refusal(manual), 'autoload-off');
    assert.equal(refusal(manual, [], { ordered: true }), undefined);
    assert.equal(refusal(manual, [aReplica(manual, startingSince(0))]), undefined);
    assert.equal(refusal(manual, [aReplica(manual, stoppingSince(0))]), 'autoload-off');
  });
  it('remembers how long its last load took', () => {
    assert.equal(routeOf(a, [aReplica(a, readySince(0, 40))]).lastLoad, 40);
    const unknown = { ...readySince(0), loadTime: undefined } as Replica['state'];
    assert.equal(routeOf(a, [aReplica(a, unknown), aReplica(a, readySince(0, 40))]).lastLoad, 40);
    assert.equal(routeOf(a, [], { lastLoad: milliseconds(50) }).lastLoad, 50);
    assert.equal(routeOf(a, [aReplica(a, readySince(0, 40))], { lastLoad: milliseconds(50) }).lastLoad, 50);
  });
});

describe('a route board', () => {
  it('is empty at first, and tells everybody of a new table in the same tick', () => {
    const board = createRouteBoard();
    assert.deepEqual(board.read().routes, []);
    const table = buildRouteTable([]);
    const told: unknown[] = [];
    board.onPublish((next) => told.push(next));
    board.onPublish(() => told.push(board.read()));
    board.publish(table);
    assert.deepEqual(told, [table, table]);
  });
});
