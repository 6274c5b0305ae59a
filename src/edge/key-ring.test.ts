import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anApiKey } from '../testing/api-keys.ts';
import { testSeed } from '../testing/seed.ts';
import { KeyRing } from './key-ring.ts';

describe('a ring of keys', () => {
  it('finds a key by its very bytes, and nothing for any other', () => {
    const ring = new KeyRing([anApiKey('secret'), anApiKey('')]);
    assert.equal(ring.find('secret')?.id, 'id-of-secret');
    for (const other of ['Secret', 'secret ', 'secre', 'secrets', anApiKey('secret').sha256, '__proto__']) {
      assert.equal(ring.find(other), undefined, other);
    }
  });

  it('finds a key that is not ASCII by the bytes that come over the line', () => {
    const ring = new KeyRing([anApiKey('schlüssel')]);
    assert.equal(ring.find(Buffer.from('schlüssel', 'utf8').toString('latin1'))?.id, 'id-of-schlüssel');
    assert.equal(ring.find('schlüssel'), undefined);
  });

  it('lets nobody in where it is empty', () => {
    assert.equal(new KeyRing([]).find(''), undefined);
  });

  it('forgets what is not among the new keys, and knows what is new', () => {
    const ring = new KeyRing([anApiKey('old'), anApiKey('kept')]);
    ring.replace([anApiKey('kept', { operations: ['infer'] }), anApiKey('new')]);
    assert.equal(ring.find('old'), undefined);
    assert.equal(ring.find('new')?.id, 'id-of-new');
    assert.equal(ring.find('kept')?.access.may('models:manage'), false);
  });

  it('goes on counting under its id what a key had under way when it was replaced', () => {
    const ring = new KeyRing([anApiKey('old', { id: 'team' })]);
    const old = ring.find('old');
    assert.ok(old !== undefined);
    const end = ring.begin(old);
    ring.replace([anApiKey('new', { id: 'team', maxInFlight: 1 })]);
    const next = ring.find('new');
    assert.ok(end !== undefined && next !== undefined);
    assert.equal(ring.begin(next), undefined);
    end();
    assert.notEqual(ring.begin(next), undefined);
  });

  it('never has more under way than allowed, and ends each count once, in whatever order and however often it is ended', () => {
    const step = fc.record({ who: fc.constantFrom('a', 'b'), begin: fc.boolean(), which: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ring = new KeyRing([anApiKey('a', { maxInFlight: 2 }), anApiKey('b')]);
        const begun = { a: [] as { end: () => void; over: boolean }[], b: [] as { end: () => void; over: boolean }[] };
        const open = (who: 'a' | 'b'): number => begun[who].filter(({ over }) => !over).length;
        for (const { who, begin, which } of steps) {
          const key = ring.find(who);
          assert.ok(key !== undefined);
          const mayBegin = who === 'b' || open(who) < 2;
          if (begin) {
            const end = ring.begin(key);
            assert.equal(end !== undefined, mayBegin);
            if (end !== undefined) begun[who].push({ end, over: false });
          } else {
            const chosen = begun[who][which];
            if (chosen !== undefined) {
              chosen.end();
              chosen.over = true;
            }
          }
          for (const one of ['a', 'b'] as const) assert.equal(ring.underWay(`id-of-${one}`), open(one));
        }
      }),
      { seed: testSeed() },
    );
  });
});
