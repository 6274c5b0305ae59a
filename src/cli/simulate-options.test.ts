import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { withSimulateOptions, type SimulateFlags } from './simulate-options.ts';

const NEEDED = ['--trace=t.csv', '--models=m.yaml'];

/** What the flags come to, or commander's message. */
function parsed(...argv: readonly string[]): SimulateFlags | string {
  let message = '';
  const command = withSimulateOptions(new Command('simulate'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (message += text) });
  try {
    return command.parse(argv, { from: 'user' }).opts<SimulateFlags>();
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

describe('the flags of simulate', () => {
  it('have defaults where they are not needed', () => {
    assert.deepEqual(
      { ...Object(parsed(...NEEDED)) },
      { trace: 't.csv', models: 'm.yaml', format: 'auto', policy: [] },
    );
  });
  it('are read', () => {
    const policies = ['--policy=corral', '--policy', 'llama-swap', '--policy=corral'];
    const others = ['--spread=0.9', '--seed=7', '--report=r.svg', '--json', '--format=azure'];
    assert.deepEqual(
      { ...Object(parsed(...NEEDED, ...policies, ...others)) },
      {
        ...{ trace: 't.csv', models: 'm.yaml', format: 'azure', policy: ['corral', 'llama-swap'] },
        ...{ spread: 0.9, seed: 7, report: 'r.svg', json: true },
      },
    );
  });
  for (const [flag, ...values] of [
    ['--trace', ''],
    ['--models', ''],
    ['--format', 'csv', ''],
    ['--policy', 'lru', '', 'constructor'],
    ['--spread', '-1', '6', 'much', '', 'Infinity', '1e1'],
    ['--seed', '-1', '1.5', '', '4294967296'],
    ['--report', 'report.pdf', 'html', ''],
  ] as const) {
    for (const value of values) {
      it(`refuse ${flag}=${value}, and name the flag`, () => {
        const result = parsed(...NEEDED, `${flag}=${value}`);
        assert.ok(typeof result === 'string', 'it is refused');
        assert.match(result, new RegExp(flag, 'u'));
      });
    }
  }
  it('need a trace and a table', () => {
    for (const [index, flag] of ['--trace', '--models'].entries()) {
      const result = parsed(...NEEDED.toSpliced(index, 1));
      assert.ok(typeof result === 'string', 'it is refused');
      assert.match(result, new RegExp(`required option '${flag} <file>'`, 'u'));
    }
  });
});
