import { join } from 'node:path';
import { renderSteps, runSteps } from './run-steps.ts';
import type { Step } from './run-steps.ts';

const steps: readonly Step[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--project', '.'] },
  { name: 'lint', args: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'] },
  {
    name: 'direction',
    args: [
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      '--output-type',
      'err',
      'src',
      'test',
      'scripts',
    ],
  },
  { name: 'generated files', args: ['scripts/generate.ts', '--check'] },
  {
    name: 'formatting',
    args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  },
];

const results = runSteps(steps, join(import.meta.dirname, '..'));
process.stdout.write(`\n${renderSteps(results)}`);
process.exitCode = results.every((result) => result.passed) ? 0 : 1;
