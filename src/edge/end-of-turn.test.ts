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
