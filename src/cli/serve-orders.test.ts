import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import type { Orders } from '../edge/orders.ts';
import { FakeCorral } from '../testing/fake-corral.ts';
import { aPool, aPreset } from '../testing/worlds.ts';
import { createOrders } from './serve-orders.ts';

const [a, b] = [aPreset('a'), aPreset('b')];
const NO_WAIT = milliseconds(0);

/** One place, taken by a model in use. */
async function fullBed(): Promise<{ readonly corral: FakeCorral; readonly orders: Orders }> {
  const corral = new FakeCorral();
  corral.control.setCatalog({ pools: [aPool()], presets: [a, b] });
  corral.request(a.model);
  await corral.settle();
  corral.backend.makeReady(replicaId('a#1'));
  await corral.settle();
  return { corral, orders: createOrders(corral.control, { reload: async () => Promise.resolve('ended') }) };
}

describe('an order to unload', () => {
  it('takes back one to load that still waits for room', async () => {
    const { corral, orders } = await fullBed();
    assert.equal(orders.load(b.uid, NO_WAIT), 'ordered');
    assert.equal(orders.unload(b.uid, NO_WAIT), 'ordered');
    assert.equal(orders.unload(b.uid, NO_WAIT), 'needless');
    assert.equal(corral.board.read().findByUid(b.uid)?.phase.kind, 'unloaded');
  });

  it('is needless for a model that only requests wait for: they are not its client’s to turn away', async () => {
    const { corral, orders } = await fullBed();
    corral.request(b.model);
    assert.equal(orders.unload(b.uid, NO_WAIT), 'needless');
  });
});
