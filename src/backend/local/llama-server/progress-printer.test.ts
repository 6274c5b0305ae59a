import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgressPrinter } from './progress-printer.ts';

function printed(isTTY: boolean, percents: readonly number[]): string {
  let text = '';
  const printer = createProgressPrinter({ isTTY, write: (more) => (text += more) });
  printer.report({ kind: 'step', text: 'building' });
  for (const percent of percents) printer.report({ kind: 'percent', percent });
  printer.report({ kind: 'step', text: 'next' });
  printer.finish();
  return text;
}

test('Off a terminal every 10 % is a line, once, and what goes back is not shown.', () => {
  assert.equal(printed(false, [0, 3, 9, 11, 10, 19, 35, 29, 100]), 'building\n0 %\n10 %\n30 %\n100 %\nnext\n');
});

test('On a terminal one line is drawn over itself and ended before the next text.', () => {
  const text = printed(true, [0, 50, 40, 50, 100]);
  const draws = text.split('\r');
  assert.equal(draws.length - 1, 3);
  assert.match(text, /\r\[#{15} {15}\] 50 %\r\[#{30}\] 100 %\nnext\n$/);
});

test('Each step counts from the beginning again.', () => {
  let text = '';
  const printer = createProgressPrinter({ write: (more) => (text += more) });
  for (const step of ['one', 'two']) {
    printer.report({ kind: 'step', text: step });
    printer.report({ kind: 'percent', percent: 20 });
  }
  assert.equal(text, 'one\n20 %\ntwo\n20 %\n');
});

test('What is not used, and whom one waits for, is said in a line.', () => {
  let text = '';
  const printer = createProgressPrinter({ write: (more) => (text += more) });
  printer.report({ kind: 'unusable', how: 'path', reason: '/x is broken' });
  printer.report({ kind: 'waiting', reason: 'waiting for process 7' });
  assert.equal(text, 'not used (path): /x is broken\nwaiting for process 7\n');
});
