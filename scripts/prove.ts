import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { putSection, renderFailures, renderProofPage, renderSeries } from '../test/prove/proof-report.ts';
import { describeMachine } from '../test/support/figures.ts';
import type { Extent, Proof, ProofPart, Series } from '../test/prove/proof.ts';
import { whyNoSpin } from './find-spin.ts';
import { chooseNamed, obtainLlamaServer, renderNames, runCommand, type Named } from './run-named.ts';
import { UsageError } from './test-parts.ts';
import { LARGEST_SEED, parseWholeNumber } from './whole-number.ts';

const USAGE = 'usage: npm run prove -- NAME --runs N [--seed S] [--part PART,...]\n';
const MOST_RUNS = 10_000_000;
const folder = join(import.meta.dirname, '../docs/proof');

/** A promise that can be tried any number of times. */
interface NamedProof extends Named {
  readonly needsLlamaServer: boolean;
  /** Imported when it is run: it looks at LLAMA_SERVER, which is set before. Several parts: each can be run by itself. */
  readonly load: () => Promise<Proof | readonly ProofPart[]>;
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
    'drain-model',
    {
      summary:
        'The drain protocol as a model, of which every state is searched: a planner that gives N orders whatever they are, and one that goes by demand; and faults that are planted in it',
      needsLlamaServer: false,
      load: async () => {
        const noSpin = whyNoSpin();
        if (noSpin !== undefined) throw new UsageError(noSpin);
        return (await import('../test/prove/drain-model.ts')).DRAIN_MODEL_PARTS;
      },
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
    'drain',
    {
      summary:
        'N evictions under load with three edges: no stream is cut, no answer is 5xx; N/4 each while an edge is stopped, while one is cut off from the API server, and while edges and operators are replaced; 25 N requests while edges are replaced all the time; an edge that is cut off for ten minutes; N/50 kills of the leader at the steps of an eviction, N/100 kills of an edge, N/100 outages of the API server, N/100 deletions that an edge hears of late and rounds of evictions with wrong clocks, N/40 evictions on a real node',
      needsLlamaServer: true,
      load: async () => (await import('../test/prove/drain.ts')).DRAIN_PARTS,
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
        'The corpus of hostile requests, alone and behind proxies, N mutants of it and a tenth as many behind each proxy, and 10 N bodies: one reading of each; N bodies that are let in arrive as they were sent',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/hostile.ts')).HOSTILE_PARTS,
    },
  ],
  [
    'operator',
    {
      summary:
        'The operator, killed before and after its writes, or without their answers, at N points of 12 scenarios; N/20 with its Lease left to run out; N/4 at which one of two API servers is late; N/20 evictions while others write to the same objects all the time; N/8 hand-overs of each kind; leaders that fall asleep; an API server that is away for 5 minutes; N/100 nodes that are deleted under loaded models; 10 quiet minutes',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/operator.ts')).OPERATOR_PARTS,
    },
  ],
  [
    'soak',
    {
      summary:
        'N minutes in which edges are stopped and cut off, leaders stopped and not answered, pods deleted, models taken away and clients gone, under load: nothing else fails, and what the processes hold at rest does not grow',
      needsLlamaServer: false,
      load: async () => (await import('../test/prove/soak.ts')).proveSoak,
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
  const options = { runs: { type: 'string' }, seed: { type: 'string' }, part: { type: 'string' } } as const;
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
  const loaded = await chosen.load();
  const parts = choosePart(positionals.join(), typeof loaded === 'function' ? [] : loaded, values.part);
  const proof: Proof = typeof loaded === 'function' ? loaded : async (extent) => proveAll(parts, extent);
  return prove({ name: positionals.join(), ...chosen, runs, seed }, proof, values.part === undefined ? [] : parts);
}

/** All of them unless some are named. Throws UsageError for a name that none has. */
function choosePart(proof: string, parts: readonly ProofPart[], named: string | undefined): readonly ProofPart[] {
  if (named === undefined) return parts;
  const names = named.split(',');
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length === 0) return names.flatMap((name) => parts.filter((part) => part.name === name));
  const there = parts.length === 0 ? 'it has none' : `there are ${parts.map(({ name }) => name).join(', ')}`;
  throw new UsageError(`--part: ${proof} has no part '${unknown.join("', '")}'; ${there}`);
}

async function proveAll(parts: readonly ProofPart[], extent: Extent): Promise<readonly Series[]> {
  const all: Series[] = [];
  for (const { name, prove: proveIt } of parts) {
    process.stdout.write(`${name} ...\n`);
    all.push(...(await proveIt(extent)));
  }
  return all;
}

interface Asked extends Extent, Named {
  readonly name: string;
}

/** Runs it, and keeps its table in docs/proof: the whole page, or a section of it for some parts. */
async function prove({ name, summary, runs, seed }: Asked, proof: Proof, parts: readonly ProofPart[]): Promise<number> {
  process.stdout.write(`${name}: seed ${seed}, ${runs} runs\n`);
  const machine = describeMachine();
  const series = await proof({ runs, seed });
  process.stdout.write(`${renderSeries(series)}${renderFailures(series)}`);
  const date = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  const given = { name, summary, runs, seed, date, machine };
  const file = join(folder, `${name}.md`);
  mkdirSync(folder, { recursive: true });
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const page =
    parts.length === 0
      ? renderProofPage(given, series)
      : putSection(before, { ...given, parts: parts.map((part) => part.name) }, series);
  writeFileSync(file, page);
  return series.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

await runCommand('npm run prove', main);
