import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import { seconds } from '../domain/units.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { EagerTimers } from '../testing/manual-timers.ts';
import { DrainWitnesses, type EdgeLife } from './drain-witnesses.ts';

const [A, B] = [replicaId('a'), replicaId('b')];
const edge = (bootId: string): EdgeLife => ({ key: 'ns/edge', bootId });

/** Witnesses whose lists are answered by hand. */
function someWitnesses(): { witnesses: DrainWitnesses; lists: PromiseWithResolvers<readonly EdgeLife[]>[] } {
  const lists: PromiseWithResolvers<readonly EdgeLife[]>[] = [];
  const witnesses = new DrainWitnesses({
    list: async () => {
      const list = Promise.withResolvers<readonly EdgeLife[]>();
      lists.push(list);
      return list.promise;
    },
    onFound: () => undefined,
    timers: new EagerTimers(seconds(60)),
    log: keptLog(),
  });
  return { witnesses, lists };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a gate that closes while a list is on its way needs another list', async () => {
  const { witnesses, lists } = someWitnesses();
  witnesses.begin();
  witnesses.closed(A, 1);
  witnesses.closed(B, 1);
  assert.equal(lists.length, 1);
  lists[0]?.resolve([edge('first')]);
  await turn();
  assert.deepEqual(witnesses.find(A, 1), [edge('first')]);
  assert.equal(witnesses.find(B, 1), undefined);
  lists[1]?.resolve([edge('second')]);
  await turn();
  assert.deepEqual(witnesses.find(B, 1), [edge('second')]);
  assert.equal(lists.length, 2);
  await witnesses.stop();
});

test('nobody is asked before there is somebody to ask, and witnesses of one closing say nothing of another', async () => {
  const { witnesses, lists } = someWitnesses();
  witnesses.closed(A, 1);
  assert.equal(lists.length, 0);
  witnesses.begin();
  lists[0]?.resolve([]);
  await turn();
  assert.deepEqual(witnesses.find(A, 1), []);
  assert.equal(witnesses.find(A, 3), undefined);
  assert.equal(witnesses.find(B, 1), undefined);
  witnesses.keepOnly(() => false);
  assert.equal(witnesses.find(A, 1), undefined);
  await witnesses.stop();
});
