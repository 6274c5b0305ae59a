import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderFailures, renderProofPage, renderSeries } from '../test/prove/proof-report.ts';
import { describeMachine } from '../test/support/figures.ts';
import type { Proof } from '../test/prove/proof.ts';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { UsageError } from './test-parts.ts';
import { LARGEST_SEED, parseWholeNumber } from './whole-number.ts';

const USAGE = 'usage: npm run prove -- NAME --runs N [--seed S]\n';
const MOST_RUNS = 10_000_000;
const folder = join(import.meta.dirname, '../docs/proof');

/** A promise that can be tried any number of times. */
interface NamedProof extends Named {
  readonly needsLlamaServer: boolean;
  /** Imported when it is run: it looks at LLAMA_SERVER, which is set before. */
  readonly load: () => Promise<Proof>;
}

const proofs: ReadonlyMap<string, NamedProof> = new Map([
  [
    'seed-races',
    {
      summary: 'The two races that Corral began with, in N interleavings each, over planner, ledger and a fake backend',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/seed-races.ts')).proveSeedRaces,
    },
  ],
  [
    'planner',
    {
      summary: 'N walks each through worlds where clients come and go, and where everything else happens, too',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/planner.ts')).provePlanner,
    },
  ],
  [
    'evict',
    {
      summary: 'N swaps between two models with room for one: every answer right, never two llama-servers at once',
      needsLlamaServer: true,
      load: async () => (await import('../test/prove/evict.ts')).proveEvict,
    },
  ],
  [
    'hostile',
    {
      summary:
        'The corpus of hostile requests, alone and behind proxies, N mutants of it and a tenth as many behind each proxy, and 10 N bodies: one reading of each',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/hostile.ts')).proveHostile,
    },
  ],
  [
    'streams',
    {
      summary:
        'The edge: N replicas that die at a random byte, N clients that leave in each of three phases, N streams compared by hash, 500 slow readers, 10 N reuses of connections',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/streams.ts')).proveStreams,
    },
  ],
  [
    'swap-streams',
    {
      summary: 'N streams while the other of two models is wanted and there is room for one: none is cut',
      needsLlamaServer: true,
      load: async () => (await import('../test/prove/swap-streams.ts')).proveSwapStreams,
    },
  ],
]);

/** The exit code: 1 if a trial failed. Throws UsageError for wrong use. */
async function main(): Promise<number> {
  const options = { runs: { type: 'string' }, seed: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length === 0 && values.runs === undefined) {
    process.stdout.write(`${USAGE}${renderNames(proofs)}`);
    return 0;
  }
  const chosen = chooseNamed('proof', proofs, positionals);
  if (values.runs === undefined) throw new UsageError('--runs: how often? A whole number, for instance --runs 100');
  const runs = parseWholeNumber('--runs', values.runs, 1, MOST_RUNS);
  const seed =
    values.seed === undefined ? randomInt(LARGEST_SEED) : parseWholeNumber('--seed', values.seed, 0, LARGEST_SEED);
  if (chosen.needsLlamaServer && obtainLlamaServer() === undefined) return 1;
  return prove(positionals.join(), chosen, runs, seed);
}

/** Runs it, and keeps its table in docs/proof. */
async function prove(name: string, { summary, load }: NamedProof, runs: number, seed: number): Promise<number> {
  process.stdout.write(`${name}: seed ${seed}, ${runs} runs\n`);
  const machine = describeMachine();
  const proof = await load();
  const series = await proof({ runs, seed });
  process.stdout.write(`${renderSeries(series)}${renderFailures(series)}`);
  const date = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), renderProofPage({ name, summary, runs, seed, date, machine }, series));
  return series.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

await runCommand('npm run prove', main);
