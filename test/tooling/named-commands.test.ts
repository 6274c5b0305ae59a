import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand, type Outcome } from './support/run-command.ts';
import { root } from './support/temp-tree.ts';

/** With no llama-server to be had: what gets past its arguments fails, and builds nothing. */
const env = { LLAMA_SERVER: '/nowhere/llama-server' };

const run = (script: string, args: readonly string[]): Outcome =>
  runCommand(process.execPath, [join(root, 'scripts', script), ...args], { cwd: root, env });

for (const [command, script, names] of [
  ['npm run bench', 'bench.ts', ['edge', 'planner', 'simulate', 'swap']],
  ['npm run prove', 'prove.ts', ['seed-races', 'streams', 'evict', 'swap-streams']],
] as const) {
  describe(command, () => {
    it('lists what there is when it is given no name', () => {
      const { status, stdout } = run(script, []);
      assert.equal(status, 0);
      assert.match(stdout, /^usage: npm run \w+ -- NAME /u);
      for (const name of names) assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'mu'));
    });
    for (const name of ['nothing', 'constructor', '__proto__', '']) {
      it(`refuses the name '${name}', and lists what there is`, () => {
        const { status, stdout, stderr } = run(script, [name, ...(script === 'prove.ts' ? ['--runs', '1'] : [])]);
        assert.deepEqual([status, stdout], [2, '']);
        assert.ok(stderr.startsWith(`${command}: there is no `), stderr);
        assert.ok(stderr.includes(`'${name}'`), stderr);
        for (const known of names) assert.match(stderr, new RegExp(`^  ${known} `, 'mu'));
      });
    }
    it('refuses two names', () => {
      const { status, stderr } = run(script, [names[0], names[0], ...(script === 'prove.ts' ? ['--runs', '1'] : [])]);
      assert.equal(status, 2);
      assert.match(stderr, /one (bench|proof) at a time/u);
    });
    it('refuses an option that does not exist, and one without its value', () => {
      for (const args of [['--fast', '1'], [script === 'prove.ts' ? '--runs' : '--rounds']]) {
        const { status, stderr } = run(script, [names[0], ...args]);
        assert.equal(status, 2);
        assert.match(stderr, /^npm run \w+: .*--(fast|runs|rounds)/u);
      }
    });
    it('fails where it needs a llama-server and there is none', () => {
      const [last] = names.slice(-1);
      const { status, stderr } = run(script, [String(last), ...(script === 'prove.ts' ? ['--runs', '1'] : [])]);
      assert.equal(status, 1);
      assert.match(stderr, /LLAMA_SERVER/u);
    });
  });
}

const WRONG_COUNTS = ['', '0', '-1', '1.5', '1e3', 'many', '0x10', '99999999999'];

for (const [option, lowest, wrong, build] of [
  ['--rounds', 1, WRONG_COUNTS, (value: string) => run('bench.ts', ['swap', `--rounds=${value}`])],
  ['--edges', 1, [...WRONG_COUNTS, '5;20'], (value: string) => run('bench.ts', ['scale', `--edges=${value}`])],
  ['--runs', 1, WRONG_COUNTS, (value: string) => run('prove.ts', ['seed-races', `--runs=${value}`])],
  [
    '--seed',
    0,
    ['', '-1', '1.5', 'x', '2147483648'],
    (value: string) => run('prove.ts', ['seed-races', '--runs=1', `--seed=${value}`]),
  ],
] as const) {
  describe(`the option ${option}`, () => {
    for (const value of wrong) {
      it(`refuses '${value}'`, () => {
        const { status, stdout, stderr } = build(value);
        assert.deepEqual([status, stdout], [2, '']);
        assert.match(stderr, new RegExp(`: ${option}: must be a whole number from ${lowest} to \\d+, not '`, 'u'));
        assert.ok(stderr.includes(`'${value}'`), stderr);
      });
    }
  });
}

it('npm run prove says what is missing when it is not told how often', () => {
  const { status, stderr } = run('prove.ts', ['seed-races']);
  assert.equal(status, 2);
  assert.match(stderr, /--runs: how often\?/u);
});
