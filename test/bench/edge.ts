import { UsageError } from '../../scripts/test-parts.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine } from '../support/figures.ts';
import { tempFolder } from '../support/temp-folder.ts';
import type { Bench, Extent } from './edge/bench.ts';
import { benchChat } from './edge/chat-section.ts';
import type { Cores } from './edge/cores.ts';
import { benchLone } from './edge/lone-section.ts';
import { benchLarge } from './edge/large-section.ts';
import { benchMemory } from './edge/memory-section.ts';
import { buildPrograms, sourcePrograms } from './edge/programs.ts';
import type { Start } from './edge/stage.ts';
import { benchStreams } from './edge/streams-section.ts';
import { benchUnknown } from './edge/unknown-section.ts';
import { describeMissing, type Tools } from './edge/tools.ts';

/** The parts of the bench, by name, in the order in which they run. */
export const EDGE_SECTIONS: ReadonlyMap<string, (bench: Bench) => Promise<void>> = new Map([
  ['chat', benchChat],
  ['lone', benchLone],
  ['streams', benchStreams],
  ['large', benchLarge],
  ['memory', benchMemory],
  ['unknown', benchUnknown],
]);

/** Those of a comma list; all if there is none. Throws UsageError for one that does not exist. */
export function chooseSections(list: string | undefined): readonly string[] {
  if (list === undefined) return [...EDGE_SECTIONS.keys()];
  const names = list.split(',');
  const unknown = names.find((name) => !EDGE_SECTIONS.has(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--sections: there is no '${unknown}'; there are ${[...EDGE_SECTIONS.keys()].join(', ')}`);
}

export const fullExtent = (rounds: number): Extent => ({
  rounds,
  seconds: 2,
  warmUp: 20_000,
  streams: 64,
  eventsPerStream: 256,
  idleStreams: 1000,
  largeBodies: 5,
  unknownPerSecond: 10_000,
});

export interface EdgeBenchOptions {
  readonly tools: Tools;
  readonly who: readonly Start[];
  /** Names of `EDGE_SECTIONS`. */
  readonly sections: readonly string[];
  /** Whether Corral and the bare proxy are bundled first, as for the npm package. */
  readonly built: boolean;
  readonly cores: Cores | undefined;
  readonly extent: Extent;
  readonly profileFolder: string | undefined;
  readonly print: (text: string) => void;
}

/** Compares the edge with other proxies in front of the same stubs, one on a core of its own at a time. */
export async function benchEdge({ sections, built, ...options }: EdgeBenchOptions): Promise<void> {
  const { tools, cores, print } = options;
  print(`${describeMachine()}\n`);
  for (const line of describeMissing(tools)) print(`${line}\n`);
  print(cores === undefined ? NOT_PINNED : PINNED);
  await withCleanup(async (t) => {
    const folder = await tempFolder(t);
    const bench = { ...options, folder, programs: built ? buildPrograms(folder) : sourcePrograms() };
    for (const [name, run] of EDGE_SECTIONS) {
      if (!sections.includes(name)) continue;
      print(`\n== ${name}: `);
      await run(bench);
    }
  });
}

const NOT_PINNED = 'nothing is pinned, which takes Linux and two cores: contestants and load disturb each other\n';
const PINNED = 'the contestant has core 0 for itself, stubs and load share core 1\n';
