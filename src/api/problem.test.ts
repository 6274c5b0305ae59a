import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from './problem.ts';

test('a problem is written with place, field, reason and fix, as far as they are known', () => {
  assert.equal(
    formatProblem({ file: 'a.yaml', line: 3, column: 5, field: 'spec.pool', reason: 'is wrong', fix: 'Write b.' }),
    'a.yaml:3:5: spec.pool: is wrong. Write b.',
  );
  assert.equal(
    formatProblem({ file: 'models', reason: 'there is no such folder' }),
    'models: there is no such folder.',
  );
});
