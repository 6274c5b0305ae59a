import { withCleanup } from '../../support/cleanup-stack.ts';
import type { Cores } from './cores.ts';
import { startLlamaSwap, startRouter } from './llama-fronts.ts';
import { startBare, startCorral } from './on-node.ts';
import type { Programs } from './programs.ts';
import type { Contestant, Stage, Start } from './stage.ts';
import { makeStub, type StubKind } from './stub.ts';
import type { Tools } from './tools.ts';
import { startHaproxy, startNginx } from './web-servers.ts';

/** How much of everything. */
export interface Extent {
  readonly rounds: number;
  /** How long one contestant is under load in one round. */
  readonly seconds: number;
  /** Requests before the first that counts. */
  readonly warmUp: number;
  readonly streams: number;
  readonly eventsPerStream: number;
  readonly idleStreams: number;
  readonly largeBodies: number;
  /** Unknown models asked for in a second. */
  readonly unknownPerSecond: number;
}

/** What the sections share. */
export interface Bench {
  readonly folder: string;
  readonly cores: Cores | undefined;
  readonly tools: Tools;
  readonly programs: Programs;
  readonly extent: Extent;
  readonly who: readonly Start[];
  /** Where a profile of Corral under the first load goes; `undefined`: none is taken. */
  readonly profileFolder: string | undefined;
  readonly print: (text: string) => void;
}

export const EVERYBODY: readonly Start[] = [
  startBare,
  startCorral,
  startNginx,
  startHaproxy,
  startLlamaSwap,
  startRouter,
];

/** What a section wants to find set up. */
export interface Setting {
  readonly stub: StubKind;
  /** More than one only where streams are more than one llama-server takes connections. */
  readonly models: number;
  readonly probed: boolean;
  /** Unless given, everybody who takes part in the bench. */
  readonly who?: readonly Start[];
}

/** Sets contestants up afresh, works with them, and ends them, so that no section inherits another's memory. */
export async function withContestants<T>(
  bench: Bench,
  { stub: kind, models, probed, who = bench.who }: Setting,
  work: (contestants: readonly Contestant[], stage: Stage) => Promise<T>,
): Promise<T> {
  return withCleanup(async (t) => {
    const { folder, cores, tools, programs } = bench;
    const stub = await makeStub({ t, folder, cores, nginx: tools.nginx }, kind);
    const stage = { t, folder, cores, tools, programs, stub, models, probed };
    return work(await gather(stage, who), stage);
  });
}

async function gather(stage: Stage, who: readonly Start[]): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const start of who) {
    const contestant = await start(stage);
    if (contestant !== undefined) contestants.push(contestant);
  }
  return contestants;
}

/** All rounds of each contestant, by its name: everybody's turns in one run, so that a busy machine disturbs all alike. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>;

/** A B C, A B C, and so on. */
export async function interleave<C extends { readonly name: string }, T>(
  contestants: readonly C[],
  rounds: number,
  measure: (contestant: C) => Promise<T>,
): Promise<Rounds<T>> {
  const played = contestants.map((contestant) => ({ contestant, samples: [] as T[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { contestant, samples } of played) samples.push(await measureOne(contestant, measure));
  }
  return new Map(played.map(({ contestant, samples }) => [contestant.name, samples]));
}

async function measureOne<C extends { readonly name: string }, T>(
  contestant: C,
  measure: (contestant: C) => Promise<T>,
): Promise<T> {
  try {
    return await measure(contestant);
  } catch (cause) {
    throw new Error(`${contestant.name} failed in a round`, { cause });
  }
}
