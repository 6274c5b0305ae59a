import { parseArgs } from 'node:util';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { UsageError } from './test-parts.ts';
import { parseWholeNumber } from './whole-number.ts';

const USAGE = 'usage: npm run bench -- NAME [--rounds N] [--report FILE.html]\n';
const DEFAULT_ROUNDS = '25';
const MOST_ROUNDS = 10_000;
const print = (text: string): void => {
  process.stdout.write(text);
};

interface Flags {
  readonly rounds: string | undefined;
  readonly report: string | undefined;
}

/** A comparison of Corral with others in one run. Its figures are judged by who reads them, not by an exit code. */
interface Bench extends Named {
  /** Those that mean something to it. */
  readonly options: readonly (keyof Flags)[];
  /** Returns the exit code. Throws UsageError for a wrong value. */
  readonly run: (flags: Flags) => Promise<number>;
}

/** Each is imported when it is run: one looks at LLAMA_SERVER, which is set before. */
const benches: ReadonlyMap<string, Bench> = new Map<string, Bench>([
  [
    'swap',
    {
      summary: 'first byte from cold and from a swap, beside bare llama-server, its own router and llama-swap',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const llamaServer = obtainLlamaServer();
        if (llamaServer === undefined) return 1;
        const { benchSwap } = await import('../test/bench/swap.ts');
        await benchSwap(llamaServer, times, print);
        return 0;
      },
    },
  ],
  [
    'planner',
    {
      summary: 'how long one plan takes, and how that grows with presets, replicas and pools',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const { benchPlanner } = await import('../test/bench/planner.ts');
        benchPlanner(times, print);
        return 0;
      },
    },
  ],
  [
    'simulate',
    {
      summary: 'cold starts and waits of simulated traces, beside the policies of others and one that knows the future',
      options: ['report'],
      run: async ({ report }) => {
        const { benchSimulate } = await import('../test/bench/simulate.ts');
        await benchSimulate(report, print);
        return 0;
      },
    },
  ],
]);

/** The exit code: 1 if there is no llama-server to measure. Throws UsageError for wrong use. */
async function main(): Promise<number> {
  const options = { rounds: { type: 'string' }, report: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length === 0) {
    print(`${USAGE}${renderNames(benches)}`);
    return 0;
  }
  const bench = chooseNamed('bench', benches, positionals);
  for (const name of ['rounds', 'report'] as const) {
    if (values[name] === undefined || bench.options.includes(name)) continue;
    throw new UsageError(`--${name}: means nothing to this bench`);
  }
  return bench.run({ rounds: values.rounds, report: values.report });
}

await runCommand('npm run bench', main);
