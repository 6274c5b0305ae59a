import { spawnSync } from 'node:child_process';

/** One command of a check: arguments for the Node that runs this. */
export interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

/** How a step ended. */
export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Runs one step in `cwd`, with its output on ours. A step that cannot be started or dies by a signal has not passed. */
export function runStep(step: Step, cwd: string): StepResult {
  process.stdout.write(`== ${step.name}\n`);
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...step.args], { cwd, stdio: 'inherit' });
  return { name: step.name, passed: status === 0, seconds: (performance.now() - started) / 1000 };
}

/** All steps, also after one that failed: one run shows everything that is wrong. */
export function runSteps(steps: readonly Step[], cwd: string): readonly StepResult[] {
  return steps.map((step) => runStep(step, cwd));
}

/** One line for each step. */
export function renderSteps(results: readonly StepResult[]): string {
  return results
    .map(({ name, passed, seconds }) => `${passed ? 'passed' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)\n`)
    .join('');
}
