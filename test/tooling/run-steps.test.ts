import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderSteps } from '../../scripts/run-steps.ts';
import { runCommand } from './support/run-command.ts';
import { root } from './support/temp-tree.ts';

/** Runs steps in a process of their own, because they print on its output. */
function runSteps(...programs: readonly string[]): { readonly passed: readonly boolean[]; readonly stdout: string } {
  const steps = programs.map((program, i) => ({ name: `step ${i}`, args: ['--eval', program] }));
  const { stdout, stderr } = runCommand(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { runSteps } from './scripts/run-steps.ts';
       const results = runSteps(${JSON.stringify(steps)}, process.cwd());
       process.stderr.write(JSON.stringify(results.map((result) => result.passed)));`,
    ],
    { cwd: root },
  );
  return { passed: JSON.parse(stderr) as boolean[], stdout };
}

describe('the steps of npm run check', () => {
  it('all run, also after one that failed', () => {
    const { passed, stdout } = runSteps('process.exit(1)', "console.log('second ran')");
    assert.deepEqual(passed, [false, true]);
    assert.match(stdout, /== step 0\n== step 1\nsecond ran/);
  });

  it('have not passed when they die by a signal', () => {
    assert.deepEqual(runSteps("process.kill(process.pid, 'SIGKILL')").passed, [false]);
  });

  it('are told one by one', () => {
    const text = renderSteps([
      { name: 'types', passed: true, seconds: 1.25 },
      { name: 'lint', passed: false, seconds: 10 },
    ]);
    assert.equal(text, 'passed  types (1.3 s)\nFAILED  lint (10.0 s)\n');
  });
});
