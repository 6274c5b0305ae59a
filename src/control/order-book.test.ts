import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause, Replica } from '../domain/replica.ts';
import { instant } from '../domain/units.ts';
import { aPreset, aReplica, readySince, scaled, startingSince, stoppingSince } from '../testing/worlds.ts';
import { settleOrders } from './order-book.ts';

const a = aPreset('a');
const LOAD: Order = { kind: 'load', since: instant(1) };
const UNLOAD: Order = { kind: 'unload', since: instant(1) };
const NOW = instant(9);
const REPLACED: Order = { kind: 'load', since: NOW, madeFor: 'autoloadOff' };
const MADE: Order = { kind: 'load', since: NOW, madeFor: 'minReplicas' };

/** The order that holds of `preset` after another look. */
function order(preset: Preset, given: Order | undefined, ...replicas: readonly Replica[]): Order | undefined {
  const orders = new Map(given === undefined ? [] : [[preset.uid, given]]);
  return settleOrders(orders, [preset], replicas, NOW).get(preset.uid);
}

const ready = (preset: Preset, id: string): Replica => ({ ...aReplica(preset, readySince(0)), id: replicaId(id) });
const leaving = (preset: Preset, kind: 'draining' | 'stopping', cause: DrainCause): Replica =>
  aReplica(preset, { kind, since: instant(0), cause });

describe('a load order', () => {
  it('holds until a replica is ready that answers as the model of now', () => {
    assert.equal(order(a, LOAD), LOAD);
    assert.equal(order(a, LOAD, aReplica(a, startingSince(0))), LOAD);
    assert.equal(order({ ...a, serves: 'another' }, LOAD, ready(a, 'a#1')), LOAD);
    assert.equal(order({ ...a, rendered: 'another' }, LOAD, ready(a, 'a#1')), undefined);
    assert.equal(order(a, LOAD, ready(a, 'a#1')), undefined);
  });
  it('of a preset that is gone is gone', () => {
    assert.equal(settleOrders(new Map([[a.uid, LOAD]]), [], [], NOW).size, 0);
  });
});

describe('a preset of which several replicas always have to be loaded', () => {
  const two = scaled(a, { minReplicas: 2, maxReplicas: 3 });
  it('orders itself while fewer are live, and the order holds until as many are ready', () => {
    assert.deepEqual(order(two, undefined), MADE);
    assert.deepEqual(order(two, undefined, ready(two, 'a#1')), MADE);
    assert.equal(order(two, LOAD, ready(two, 'a#1'), aReplica(two, startingSince(0))), LOAD, 'and keeps its age');
    assert.equal(order(two, LOAD, ready(two, 'a#1'), ready(two, 'a#2')), undefined);
    assert.equal(order(two, undefined, ready(two, 'a#1'), ready(two, 'a#2')), undefined);
  });
  it('orders itself no more once none has to be', () => {
    assert.equal(order(a, MADE), undefined);
    assert.equal(order(a, LOAD), LOAD, 'somebody else has given that one');
  });
  it('counts none that answers as another model', () => {
    const older = { ...two, serves: 'older' };
    assert.deepEqual(order(two, undefined, ready(older, 'a#1'), ready(older, 'a#2')), MADE);
  });
  it('is unloaded by an order until all are gone, and then loads again', () => {
    assert.equal(order(two, UNLOAD, aReplica(two, stoppingSince(0))), UNLOAD);
    assert.deepEqual(order(two, UNLOAD), MADE);
  });
});

describe('a preset that requests do not load', () => {
  const still = scaled(a, { autoload: false });
  it('is loaded again when its replica leaves because its declaration has changed', () => {
    for (const kind of ['draining', 'stopping'] as const) {
      assert.deepEqual(order(still, undefined, leaving(still, kind, { kind: 'changed' })), REPLACED);
    }
  });
  it('is not any more once requests load it again: then they decide', () => {
    assert.equal(order(still, REPLACED), REPLACED);
    assert.equal(order(a, REPLACED), undefined);
  });
  it('is not when it leaves for another reason, when another is there already, or when it is to be unloaded', () => {
    assert.equal(order(still, undefined, leaving(still, 'draining', { kind: 'idle' })), undefined);
    assert.equal(
      order(still, undefined, leaving(still, 'draining', { kind: 'changed' }), ready(still, 'a#2')),
      undefined,
    );
    assert.equal(order(still, UNLOAD, leaving(still, 'draining', { kind: 'changed' })), UNLOAD);
    assert.equal(order(a, undefined, leaving(a, 'draining', { kind: 'changed' })), undefined, 'requests load this one');
  });
});
