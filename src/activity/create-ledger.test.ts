import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { presetUid, replicaId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import { testSeed } from '../testing/seed.ts';
import { DEMAND_MEMORY } from './account.ts';
import { createLedger } from './create-ledger.ts';
import type { Account, Declared, InFlight, Ledger, LedgerChange, Waiting } from './ledger.ts';

const uid = presetUid('a');
const replica = replicaId('a#1');
const T = instant(9);

const declared = (maxReplicas = 1, targetInFlight = 1): Declared => ({ uid, scaling: { maxReplicas, targetInFlight } });

function opened(preset = declared()): { ledger: Ledger; account: Account; changes: LedgerChange[] } {
  const ledger = createLedger();
  ledger.declare([preset], instant(5));
  const account = ledger.find(uid);
  assert.ok(account !== undefined);
  const changes: LedgerChange[] = [];
  ledger.onChange((change) => changes.push(change));
  return { ledger, account, changes };
}

describe('the last use of a preset', () => {
  it('is the end of its last request, and that it was declared is none', () => {
    const { ledger, account } = opened();
    assert.equal(ledger.lastUse(uid), undefined);
    assert.equal(ledger.lastUse(presetUid('b')), undefined);
    const request = account.begin(replica, T);
    assert.equal(ledger.lastUse(uid), undefined, 'it is in use');
    request.end(instant(12));
    assert.equal(ledger.lastUse(uid), 12);
  });
});

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
    ledger.declare([declared(), { ...declared(), uid: presetUid('b') }], instant(6));
    assert.equal(ledger.find(uid), account);
  });
});

describe('the idle clock', () => {
  it('starts when counting begins', () => {
    assert.deepEqual(opened().ledger.activity(uid), { kind: 'idle', since: 5 });
  });
  it('starts again when the last request ends, not when it began', () => {
    const { ledger, account } = opened();
    const first = account.begin(replica, T);
    const second = account.begin(replica, T);
    first.end(instant(20));
    assert.deepEqual(ledger.activity(uid), { kind: 'busy', inFlight: 1 });
    second.end(instant(30));
    assert.deepEqual(ledger.activity(uid), { kind: 'idle', since: 30 });
  });
});

describe('the peak', () => {
  it('is known from the declaration on that allows several replicas, with what is in flight then', () => {
    const { ledger, account } = opened();
    account.begin(replica, T).end(T);
    account.begin(replica, T);
    assert.equal(ledger.peak(uid, T), undefined);
    ledger.declare([declared(2)], instant(20));
    assert.deepEqual(ledger.peak(uid, instant(30)), { inFlight: 1, since: 20 });
    account.begin(replica, instant(31)).end(instant(32));
    ledger.declare([declared(3)], instant(33));
    assert.deepEqual(ledger.peak(uid, instant(40)), { inFlight: 2, since: 20 }, 'another declaration forgets nothing');
    assert.deepEqual(ledger.peak(uid, instant(60_033)), { inFlight: 1, since: 33 }, 'a minute later it has fallen');
    ledger.declare([declared(1)], instant(60_041));
    assert.equal(ledger.peak(uid, instant(60_042)), undefined);
    assert.equal(ledger.peak(presetUid('b'), instant(60_042)), undefined);
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
    account.wait(instant(10)).dispatch(replica, T);
    assert.equal(ledger.demand(uid), undefined);
    account.wait(instant(20));
    assert.deepEqual(ledger.demand(uid), { waiting: 1, since: 20 });
  });
  it('of one who sends nothing ends as that of one who is served, and starts no request', () => {
    const { ledger, account, changes } = opened();
    const order = account.wait(instant(10));
    order.end();
    assert.throws(() => {
      order.end();
    }, /ended twice/u);
    assert.deepEqual([ledger.demand(uid), ledger.tally(uid)?.started, changes], [undefined, 0, ['demand', 'demand']]);
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

describe('who waits for others to end', () => {
  it('counts as one who waits, and is no demand; served, it is in flight in the same step', () => {
    const { ledger, account, changes } = opened();
    const [first, second] = [account.queue(), account.queue()];
    assert.deepEqual([account.waiting, ledger.demand(uid), changes], [2, undefined, []]);
    second.leave(instant(10));
    const inFlight = first.dispatch(replica, instant(11));
    assert.deepEqual([account.waiting, ledger.inFlight(replica), changes], [0, 1, ['busy']]);
    inFlight.end(instant(12));
    assert.throws(() => {
      first.end();
    }, /ended twice/u);
  });
});

describe('the books', () => {
  it('count a dispatched waiter in flight in the same step', () => {
    const { ledger, account } = opened();
    const inFlight = account.wait(instant(10)).dispatch(replica, T);
    assert.equal(account.waiting, 0);
    assert.equal(ledger.inFlight(replica), 1);
    inFlight.end(instant(11));
    assert.equal(ledger.inFlight(replica), 0);
  });
  it('throw at whoever ends a request twice', () => {
    const { account } = opened();
    const inFlight = account.begin(replica, T);
    inFlight.end(instant(10));
    assert.throws(() => {
      inFlight.end(instant(10));
    }, /ended twice/u);
    const waiting = account.wait(instant(10));
    waiting.leave(instant(11));
    assert.throws(() => waiting.dispatch(replica, T), /ended twice/u);
  });
  it('still count down the requests of a preset that was removed', () => {
    const { ledger, account, changes } = opened();
    const inFlight = account.begin(replica, T);
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
    const inFlight = second.dispatch(replica, T);
    assert.deepEqual(changes, ['demand', 'busy', 'demand']);
    const other = account.begin(replica, T);
    inFlight.end(instant(4));
    assert.deepEqual(changes, ['demand', 'busy', 'demand']);
    other.end(instant(5));
    assert.deepEqual(changes, ['demand', 'busy', 'demand', 'idle']);
  });
  it('tell of each replica by itself', () => {
    const { ledger, account, changes } = opened();
    const first = account.begin(replica, T);
    const second = account.begin(replicaId('a#2'), T);
    assert.deepEqual(changes, ['busy', 'busy']);
    first.end(instant(4));
    assert.deepEqual(changes, ['busy', 'busy', 'idle']);
    assert.deepEqual([...ledger.busyReplicas()], [['a#2', 1]]);
    second.end(instant(5));
    assert.deepEqual(changes, ['busy', 'busy', 'idle', 'idle']);
  });
  it('tell whose change it is', () => {
    const { ledger, account } = opened(declared(2, 1));
    const places: [string, unknown, unknown][] = [];
    ledger.onChange((change, { preset, replica: at }) => places.push([change, preset, at]));
    const inFlight = account.wait(instant(1)).dispatch(replica, T);
    account.begin(replica, T).end(T);
    inFlight.end(instant(4));
    assert.deepEqual(places, [
      ['demand', uid, undefined],
      ['busy', uid, replica],
      ['demand', uid, undefined],
      ['busy', uid, replica],
      ['pressure', uid, replica],
      ['idle', uid, replica],
    ]);
  });
  it('tell of pressure whenever one more is in flight than a number of replicas is for, and only on the way up', () => {
    const { account, changes } = opened(declared(3, 2));
    const requests: InFlight[] = [];
    const told = Array.from({ length: 7 }, () => {
      requests.push(account.begin(replica, T));
      return changes.splice(0).includes('pressure');
    });
    assert.deepEqual(told, [false, false, true, false, true, false, true]);
    for (const request of requests.slice(2)) request.end(T);
    assert.equal(changes.length, 0);
    account.wait(T).dispatch(replica, T);
    assert.ok(changes.includes('pressure'), 'again, and also by one that was held');
  });
  it('tell of each that begins where there may be several replicas: elsewhere there may be more', () => {
    const { account, changes } = opened(declared(2, 4));
    for (let requests = 0; requests < 3; requests += 1) account.begin(replica, T);
    assert.deepEqual(changes, ['busy', 'busy', 'busy']);
  });
  it('tell of no pressure on a preset that may have one replica only, or that nobody declares any more', () => {
    for (const scaling of [declared().scaling, undefined]) {
      const { account, changes } = opened({ uid, scaling });
      for (let requests = 0; requests < 5; requests += 1) account.begin(replica, T);
      assert.deepEqual(changes, ['busy']);
    }
  });
  it('have all of one account in one tally', () => {
    const { ledger, account } = opened();
    account.begin(replica, T).end(instant(7));
    account.begin(replica, T);
    account.wait(instant(9));
    account.queue();
    assert.deepEqual(ledger.tally(uid), {
      activity: { kind: 'busy', inFlight: 1 },
      demand: { waiting: 1, since: 9 },
      queued: 1,
      started: 2,
      finished: 1,
    });
    assert.equal(ledger.tally(presetUid('b')), undefined);
  });
  it('return to zero whatever the order in which requests come and end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 8 }), { maxLength: 60 }), (moves) => {
        const { ledger, account } = opened();
        const waiting: Waiting[] = [];
        const queued: Waiting[] = [];
        const inFlight: InFlight[] = [];
        moves.forEach((move, at) => {
          const now = instant(10 + at);
          if (move < 2) waiting.push(account.wait(now));
          else if (move === 2) inFlight.push(account.begin(replica, now));
          else if (move === 3) inFlight.push(...waiting.splice(0, 1).map((one) => one.dispatch(replica, now)));
          else if (move === 4) waiting.pop()?.leave(now);
          else if (move === 5) queued.push(account.queue());
          else if (move === 6) inFlight.push(...queued.splice(0, 1).map((one) => one.dispatch(replica, now)));
          else if (move === 7) queued.pop()?.leave(now);
          else inFlight.shift()?.end(now);
          assert.equal(account.waiting, waiting.length + queued.length);
          assert.equal(ledger.inFlight(replica), inFlight.length);
          assert.equal(ledger.demand(uid) !== undefined, waiting.length > 0);
          assert.equal(ledger.activity(uid).kind, inFlight.length > 0 ? 'busy' : 'idle');
        });
      }),
      { seed: testSeed() },
    );
  });
});
