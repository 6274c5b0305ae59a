import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { presetUid, replicaId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import { testSeed } from '../testing/seed.ts';
import { DEMAND_MEMORY } from './account.ts';
import { createLedger } from './create-ledger.ts';
import type { Account, InFlight, Ledger, LedgerChange, Waiting } from './ledger.ts';

const uid = presetUid('a');
const replica = replicaId('a#1');

function opened(): { ledger: Ledger; account: Account; changes: LedgerChange[] } {
  const ledger = createLedger();
  ledger.declare([uid], instant(5));
  const account = ledger.find(uid);
  assert.ok(account !== undefined);
  const changes: LedgerChange[] = [];
  ledger.onChange((change) => changes.push(change));
  return { ledger, account, changes };
}

describe('a look-up in the ledger', () => {
  it('finds nothing that was not declared, and makes nothing', () => {
    const ledger = createLedger();
    for (const name of ['a', '__proto__', 'constructor']) {
      assert.equal(ledger.find(presetUid(name)), undefined);
      assert.deepEqual(ledger.activity(presetUid(name)), { kind: 'unknown' });
      assert.equal(ledger.demand(presetUid(name)), undefined);
    }
    assert.equal(ledger.find(uid), undefined);
  });
  it('finds nothing that is no longer declared', () => {
    const { ledger } = opened();
    ledger.declare([], instant(6));
    assert.equal(ledger.find(uid), undefined);
    assert.deepEqual(ledger.activity(uid), { kind: 'unknown' });
  });
  it('finds the same account after a declaration that keeps the preset', () => {
    const { ledger, account } = opened();
    ledger.declare([uid, presetUid('b')], instant(6));
    assert.equal(ledger.find(uid), account);
  });
});

describe('the idle clock', () => {
  it('starts when counting begins', () => {
    assert.deepEqual(opened().ledger.activity(uid), { kind: 'idle', since: 5 });
  });
  it('starts again when the last request ends, not when it began', () => {
    const { ledger, account } = opened();
    const first = account.begin(replica);
    const second = account.begin(replica);
    first.end(instant(20));
    assert.deepEqual(ledger.activity(uid), { kind: 'busy', inFlight: 1 });
    second.end(instant(30));
    assert.deepEqual(ledger.activity(uid), { kind: 'idle', since: 30 });
  });
});

describe('demand', () => {
  it('is as old as its first waiter', () => {
    const { ledger, account } = opened();
    account.wait(instant(10));
    account.wait(instant(20));
    assert.deepEqual(ledger.demand(uid), { waiting: 2, since: 10 });
  });
  it('ends when its last waiter is served, and begins anew with the next', () => {
    const { ledger, account } = opened();
    account.wait(instant(10)).dispatch(replica);
    assert.equal(ledger.demand(uid), undefined);
    account.wait(instant(20));
    assert.deepEqual(ledger.demand(uid), { waiting: 1, since: 20 });
  });
  it('keeps its age for a while when its waiters give up, so that asking again loses no turn', () => {
    const { ledger, account } = opened();
    account.wait(instant(10)).leave(instant(1_000));
    assert.equal(ledger.demand(uid), undefined);
    account.wait(instant(1_000 + DEMAND_MEMORY - 1)).leave(instant(70_000));
    account.wait(instant(70_000 + DEMAND_MEMORY));
    assert.deepEqual(ledger.demand(uid), { waiting: 1, since: 70_000 + DEMAND_MEMORY });
  });
  it('keeps its age across a waiter that follows within the memory', () => {
    const { ledger, account } = opened();
    account.wait(instant(10)).leave(instant(1_000));
    account.wait(instant(1_001));
    assert.deepEqual(ledger.demand(uid), { waiting: 1, since: 10 });
  });
});

describe('the books', () => {
  it('count a dispatched waiter in flight in the same step', () => {
    const { ledger, account } = opened();
    const inFlight = account.wait(instant(10)).dispatch(replica);
    assert.equal(account.waiting, 0);
    assert.equal(ledger.inFlight(replica), 1);
    inFlight.end(instant(11));
    assert.equal(ledger.inFlight(replica), 0);
  });
  it('throw at whoever ends a request twice', () => {
    const { account } = opened();
    const inFlight = account.begin(replica);
    inFlight.end(instant(10));
    assert.throws(() => {
      inFlight.end(instant(10));
    }, /ended twice/u);
    const waiting = account.wait(instant(10));
    waiting.leave(instant(11));
    assert.throws(() => waiting.dispatch(replica), /ended twice/u);
  });
  it('still count down the requests of a preset that was removed', () => {
    const { ledger, account, changes } = opened();
    const inFlight = account.begin(replica);
    ledger.declare([], instant(6));
    assert.equal(ledger.inFlight(replica), 1);
    inFlight.end(instant(10));
    assert.equal(ledger.inFlight(replica), 0);
    assert.deepEqual(changes, ['busy', 'idle']);
  });
  it('tell of the first waiter, of the last one gone, and of the first and last in flight, and of nothing else', () => {
    const { account, changes } = opened();
    const first = account.wait(instant(1));
    const second = account.wait(instant(2));
    first.leave(instant(3));
    assert.deepEqual(changes, ['demand']);
    const inFlight = second.dispatch(replica);
    assert.deepEqual(changes, ['demand', 'busy', 'demand']);
    const other = account.begin(replica);
    inFlight.end(instant(4));
    assert.deepEqual(changes, ['demand', 'busy', 'demand']);
    other.end(instant(5));
    assert.deepEqual(changes, ['demand', 'busy', 'demand', 'idle']);
  });
  it('tell of each replica by itself', () => {
    const { ledger, account, changes } = opened();
    const first = account.begin(replica);
    const second = account.begin(replicaId('a#2'));
    assert.deepEqual(changes, ['busy', 'busy']);
    first.end(instant(4));
    assert.deepEqual(changes, ['busy', 'busy', 'idle']);
    assert.deepEqual([...ledger.busyReplicas()], [['a#2', 1]]);
    second.end(instant(5));
    assert.deepEqual(changes, ['busy', 'busy', 'idle', 'idle']);
  });
  it('have all of one account in one tally', () => {
    const { ledger, account } = opened();
    account.begin(replica).end(instant(7));
    account.begin(replica);
    account.wait(instant(9));
    assert.deepEqual(ledger.tally(uid), {
      activity: { kind: 'busy', inFlight: 1 },
      demand: { waiting: 1, since: 9 },
      started: 2,
      finished: 1,
    });
    assert.equal(ledger.tally(presetUid('b')), undefined);
  });
  it('return to zero whatever the order in which requests come and end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { maxLength: 60 }), (moves) => {
        const { ledger, account } = opened();
        const waiting: Waiting[] = [];
        const inFlight: InFlight[] = [];
        moves.forEach((move, at) => {
          const now = instant(10 + at);
          if (move < 2) waiting.push(account.wait(now));
          else if (move === 2) inFlight.push(account.begin(replica));
          else if (move === 3) inFlight.push(...waiting.splice(0, 1).map((one) => one.dispatch(replica)));
          else if (move === 4) waiting.pop()?.leave(now);
          else inFlight.shift()?.end(now);
          assert.equal(account.waiting, waiting.length);
          assert.equal(ledger.inFlight(replica), inFlight.length);
          assert.equal(ledger.demand(uid) !== undefined, waiting.length > 0);
          assert.equal(ledger.activity(uid).kind, inFlight.length > 0 ? 'busy' : 'idle');
        });
      }),
      { seed: testSeed() },
    );
  });
});
