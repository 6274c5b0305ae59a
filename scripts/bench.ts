import { parseArgs } from 'node:util';
import { findLlamaServer } from './find-llama-server.ts';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { UsageError } from './test-parts.ts';
import { parseWholeNumber } from './whole-number.ts';

const USAGE = 'usage: npm run bench -- NAME [--rounds N] [--report FILE.html] [--sections A,B] [--profile FOLDER]\n';
const DEFAULT_ROUNDS = '25';
const DEFAULT_EDGE_ROUNDS = '7';
const MOST_ROUNDS = 10_000;
const print = (text: string): void => {
  process.stdout.write(text);
};

interface Flags {
  readonly rounds: string | undefined;
  readonly report: string | undefined;
  readonly sections: string | undefined;
  readonly profile: string | undefined;
}

const FLAGS = ['rounds', 'report', 'sections', 'profile'] as const;

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
    'edge',
    {
      summary: 'CPU, latency and memory of the edge, beside a bare proxy, nginx, haproxy, llama-swap and the router',
      options: ['rounds', 'sections', 'profile'],
      run: runEdge,
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
    'bodies',
    {
      summary: 'what bodies of 8 MB cost, beside JSON.parse and a proxy that uses it',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const { benchBodies } = await import('../test/bench/bodies.ts');
        await benchBodies(times, print);
        return 0;
      },
    },
  ],
  [
    'observers',
    {
      summary: 'what the access log, the metrics and the counting of tokens cost for each request',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const { benchObservers } = await import('../test/bench/observers.ts');
        await benchObservers(times, print);
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

/** The exit code: 1 if nginx or wrk is missing. A llama-server is not built for its router's rows alone. */
async function runEdge({ rounds = DEFAULT_EDGE_ROUNDS, sections, profile }: Flags): Promise<number> {
  const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
  const { findTools } = await import('../test/bench/edge/tools.ts');
  const { benchEdge, chooseSections, fullExtent } = await import('../test/bench/edge.ts');
  const chosen = chooseSections(sections);
  const tools = findTools(process.env, findLlamaServer({ build: false }));
  if (typeof tools === 'string') {
    process.stderr.write(`npm run bench: ${tools}\n`);
    return 1;
  }
  const { EVERYBODY } = await import('../test/bench/edge/bench.ts');
  const { takeOtherCore } = await import('../test/bench/edge/cores.ts');
  const [extent, cores] = [fullExtent(times), takeOtherCore()];
  await benchEdge({
    tools,
    who: EVERYBODY,
    sections: chosen,
    built: true,
    extent,
    cores,
    profileFolder: profile,
    print,
  });
  return 0;
}

/** The exit code: 1 if there is no llama-server to measure. Throws UsageError for wrong use. */
async function main(): Promise<number> {
  const options = {
    rounds: { type: 'string' },
    report: { type: 'string' },
    sections: { type: 'string' },
    profile: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length === 0) {
    print(`${USAGE}${renderNames(benches)}`);
    return 0;
  }
  const bench = chooseNamed('bench', benches, positionals);
  for (const name of FLAGS) {
    if (values[name] === undefined || bench.options.includes(name)) continue;
    throw new UsageError(`--${name}: means nothing to this bench`);
  }
  const { rounds, report, sections, profile } = values;
  return bench.run({ rounds, report, sections, profile });
}

await runCommand('npm run bench', main);
