import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EndOfTurn } from './end-of-turn.ts';

test('what is asked for in one turn is done in its order at the end of it, and what that asks for, in the next one', async () => {
  const done: string[] = [];
  const end = new EndOfTurn();
  end.add(() => {
    done.push('a');
    end.add(() => done.push('c'));
  });
  await Promise.resolve();
  end.add(() => done.push('b'));
  assert.deepEqual(done, []);
  await nextTurn();
  assert.deepEqual(done, ['a', 'b']);
  await nextTurn();
  assert.deepEqual(done, ['a', 'b', 'c']);
});

test('work of the second rank is done after all other, in its order, and a little of it in each turn', async () => {
  const done: string[] = [];
  const end = new EndOfTurn();
  for (let number = 0; number < 40; number += 1) end.addSecondRank(() => done.push(`late ${number}`));
  end.add(() => done.push('first'));
  await nextTurn();
  assert.deepEqual([done[0], done[1], done.length], ['first', 'late 0', 17]);
  end.add(() => done.push('second'));
  await nextTurn();
  assert.deepEqual([done[17], done.length], ['second', 34]);
  while (done.length < 42) await nextTurn();
  const late = Array.from({ length: 40 }, (_, number) => `late ${number}`);
  assert.deepEqual(done.toSorted(byRank), ['first', 'second', ...late]);
});

/** Those of the first rank before the others, each in the order in which they were done. */
const byRank = (a: string, b: string): number => Number(a.startsWith('late')) - Number(b.startsWith('late'));
