import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { plant } from '../mutants/planted-fault.ts';
import { PLANTED_FAULTS } from '../mutants/planted-faults.ts';

const root = join(import.meta.dirname, '../..');
const EXAMPLES = 'src/planner/candidates.test.ts';

describe('the planted faults', () => {
  it('are at least 30, each with a name of its own, and each can be planted in one place', () => {
    assert.ok(PLANTED_FAULTS.length >= 30);
    assert.equal(new Set(PLANTED_FAULTS.map(({ name }) => name)).size, PLANTED_FAULTS.length);
    for (const fault of PLANTED_FAULTS) {
      const text = readFileSync(join(root, fault.file), 'utf8');
      assert.notEqual(plant(fault, text), text, fault.name);
    }
  });
  it('cannot be planted where their place is missing or not the only one', () => {
    const fault = { name: 'x', file: 'f.ts', find: 'a', replace: 'b' };
    assert.throws(() => plant(fault, 'c'), /f\.ts has 0 places/u);
    assert.throws(() => plant(fault, 'a a'), /f\.ts has 2 places/u);
  });
  it('are hunted in a copy: what is killed and what survives is said, and a survivor is a failure', () => {
    const [fault] = PLANTED_FAULTS;
    assert.ok(fault !== undefined);
    const before = readFileSync(join(root, fault.file), 'utf8');
    const { status, stdout } = hunt('most recently used leaves first|a request may end twice', '--tests', EXAMPLES);
    assert.match(
      stdout,
      /killed .* the most recently used leaves first\n +by: .*idle.* \(src\/planner\/candidates\.test\.ts\)/u,
    );
    assert.match(stdout, /SURVIVED .* a request may end twice\n/u);
    assert.match(stdout, /1 of 2 planted faults killed, seed 1\nsurvived: a request may end twice \(src\/activity/u);
    assert.equal(status, 1);
    assert.equal(hunt('most recently used leaves first', '--tests', EXAMPLES).status, 0);
    assert.equal(readFileSync(join(root, fault.file), 'utf8'), before);
  });
  it('are not hunted under a name that none has', () => {
    const { status, stderr } = hunt('no such fault');
    assert.match(stderr, /'no such fault' matches the name of no planted fault; --list shows them/u);
    assert.equal(status, 2);
  });
});

/** As a command of its own: node:test does not run tests within tests. */
function hunt(...args: readonly string[]): SpawnSyncReturns<string> {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return spawnSync(process.execPath, [join(root, 'scripts/mutants.ts'), ...args], { encoding: 'utf8', env });
}
