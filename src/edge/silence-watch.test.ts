import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { instant, milliseconds } from '../domain/units.ts';
import { SilenceWatch } from './silence-watch.ts';

/** A watch with a look every 100 ms, on a clock that the test moves. */
function watchOn(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let time = 0;
  const seen: string[] = [];
  const watch = new SilenceWatch(() => instant(time), milliseconds(100));
  const watched = (name: string, deadline: number) => ({
    deadline,
    overdue() {
      seen.push(name);
      this.deadline = Infinity;
    },
  });
  const pass = (ms: number): void => {
    time += ms;
    t.mock.timers.tick(ms);
  };
  return { watch, watched, seen, pass };
}

test('a deadline is seen at the next look after it, not before, and once if it moves on', (t) => {
  const { watch, watched, seen, pass } = watchOn(t);
  watch.add(watched('a', 150));
  watch.add(watched('b', 201));
  watch.add(watched('never', Infinity));
  pass(100);
  assert.deepEqual(seen, []);
  pass(100);
  assert.deepEqual(seen, ['a']);
  pass(100);
  assert.deepEqual(seen, ['a', 'b']);
  pass(1000);
  assert.deepEqual(seen, ['a', 'b']);
});

test('one that has left is not told, and one that comes later is', (t) => {
  const { watch, watched, seen, pass } = watchOn(t);
  const gone = watched('gone', 50);
  watch.add(gone);
  watch.delete(gone);
  pass(100);
  watch.add(watched('later', 150));
  pass(100);
  assert.deepEqual(seen, ['later']);
});
