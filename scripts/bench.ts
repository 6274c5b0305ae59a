import { parseArgs } from 'node:util';
import { findLlamaServer } from './find-llama-server.ts';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { whereClustersRun } from './where-clusters-run.ts';
import { UsageError } from './test-parts.ts';
import { parseWholeNumber } from './whole-number.ts';

const USAGE =
  'usage: npm run bench -- NAME [--rounds N] [--report FILE.html] [--sections A,B] [--profile FOLDER] [--picture FILE.svg] [--edges N,M]\n';
const DEFAULT_ROUNDS = '25';
const DEFAULT_EDGE_ROUNDS = '7';
const DEFAULT_CONNECTION_ROUNDS = '3';
const MOST_ROUNDS = 10_000;
/** Each round of the operator's bench wants another preset of one ModelDeployment, which has no more. */
const MOST_PRESETS = 32;
/** One measurement after the other, each with more edges. */
const DEFAULT_EDGES = '5,20,50';
const MOST_EDGES = 200;
/** Each round of the bench of writes wants another of its ModelDeployments. */
const MOST_WANTED = 199;
const print = (text: string): void => {
  process.stdout.write(text);
};

interface Flags {
  readonly rounds: string | undefined;
  readonly report: string | undefined;
  readonly sections: string | undefined;
  readonly profile: string | undefined;
  readonly picture: string | undefined;
  readonly edges: string | undefined;
}

const FLAGS = ['rounds', 'report', 'sections', 'profile', 'picture', 'edges'] as const;

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
    'operator',
    {
      summary: 'what an operator costs with 1,000 ModelDeployments of 5 presets, against a real API server',
      options: ['rounds', 'profile'],
      run: async ({ rounds = DEFAULT_ROUNDS, profile }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_PRESETS);
        const { benchOperator, fullExtent } = await import('../test/bench/operator.ts');
        return inCluster(async () => benchOperator(fullExtent(times), profile, print));
      },
    },
  ],
  [
    'coldstart',
    {
      summary: 'a cold start in a cluster with a real node, step by step',
      options: ['rounds', 'picture'],
      run: async ({ rounds = DEFAULT_ROUNDS, picture }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const { benchColdStart } = await import('../test/bench/coldstart.ts');
        return inCluster(async () => benchColdStart({ rounds: times, picture, print }));
      },
    },
  ],
  [
    'scale',
    {
      summary: 'what more and more edges cost: writes, etcd, operator, and how late reports are',
      options: ['edges'],
      run: async ({ edges = DEFAULT_EDGES }) => {
        const counts = edges.split(',').map((count) => parseWholeNumber('--edges', count, 1, MOST_EDGES));
        const rising = counts.toSorted((a, b) => a - b);
        const { benchScale, FULL_EXTENT } = await import('../test/bench/scale.ts');
        return inCluster(async () => benchScale({ ...FULL_EXTENT, edges: rising }, print));
      },
    },
  ],
  [
    'writes',
    {
      summary: 'what others notice of one ModelDeployment that cannot be written, against a real API server',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_WANTED);
        const { benchWrites, fullExtent } = await import('../test/bench/writes.ts');
        return inCluster(async () => benchWrites(fullExtent(times), print));
      },
    },
  ],
  [
    'connections',
    {
      summary: 'what a connection for each watch costs an API server, beside watches that share one by HTTP/2',
      options: ['rounds'],
      run: async ({ rounds = DEFAULT_CONNECTION_ROUNDS }) => {
        const times = parseWholeNumber('--rounds', rounds, 1, MOST_ROUNDS);
        const { benchConnections, fullExtent } = await import('../test/bench/connections.ts');
        return inCluster(async () => benchConnections(fullExtent(times), print));
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

const inCluster = async (work: () => Promise<void>): Promise<number> => whereClustersRun('npm run bench', work);

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
    picture: { type: 'string' },
    edges: { type: 'string' },
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
  const { rounds, report, sections, profile, picture, edges } = values;
  return bench.run({ rounds, report, sections, profile, picture, edges });
}

await runCommand('npm run bench', main);
