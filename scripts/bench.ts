import { parseArgs } from 'node:util';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { parseWholeNumber } from './whole-number.ts';

const USAGE = 'usage: npm run bench -- NAME [--rounds N]\n';
const MOST_ROUNDS = 10_000;
const print = (text: string): void => {
  process.stdout.write(text);
};

/** A comparison of Corral with others in one run. Its figures are judged by who reads them, not by an exit code. */
interface Bench extends Named {
  readonly run: (llamaServer: string, rounds: number) => Promise<void>;
}

/** Each is imported when it is run: it looks at LLAMA_SERVER, which is set before. */
const benches: ReadonlyMap<string, Bench> = new Map([
  [
    'swap',
    {
      summary: 'first byte from cold and from a swap, beside bare llama-server, its own router and llama-swap',
      run: async (llamaServer: string, rounds: number) => {
        const { benchSwap } = await import('../test/bench/swap.ts');
        await benchSwap(llamaServer, rounds, print);
      },
    },
  ],
]);

/** The exit code: 1 if there is no llama-server to measure. Throws UsageError for wrong use. */
async function main(): Promise<number> {
  const options = { rounds: { type: 'string', default: '25' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const rounds = parseWholeNumber('--rounds', values.rounds, 1, MOST_ROUNDS);
  if (positionals.length === 0) {
    print(`${USAGE}${renderNames(benches)}`);
    return 0;
  }
  const bench = chooseNamed('bench', benches, positionals);
  const llamaServer = obtainLlamaServer();
  if (llamaServer === undefined) return 1;
  await bench.run(llamaServer, rounds);
  return 0;
}

await runCommand('npm run bench', main);
