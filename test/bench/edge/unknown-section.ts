import { renderTable, spreadOf } from '../../support/figures.ts';
import { interleave, withContestants, type Bench, type Rounds } from './bench.ts';
import { atMost, medianOf, renderGoal } from './edge-report.ts';
import { startBareForOne, startCorral } from './on-node.ts';
import { cpuSecondsOf, residentMbOf } from './process-figures.ts';
import { chatBody } from './request-bodies.ts';
import { BARE, CORRAL, type Contestant } from './stage.ts';
import { runWrk, type Load, type Loaded } from './wrk.ts';

/** Connections of the flood. Enough that its rate is kept where an answer takes twenty milliseconds. */
const FLOOD_CONNECTIONS = 200;
/** The traffic that may not suffer: a few clients that ask now and then. */
const OTHERS = { connections: 4, pause: 10 };
const MOST_SLOWER = 2;
/** Resident memory may waver by this. */
const NO_GROWTH = 1.1;

interface Sample {
  /** Milliseconds at the 99th percentile of those who ask for a model that exists. */
  readonly quiet: number;
  readonly flooded: number;
  readonly flood: Loaded;
  /** CPU microseconds for each refusal, with what the others take. */
  readonly cpu: number;
  readonly resident: number;
}

/** How many times longer others wait, at the 99th percentile, while the flood lasts. */
const slower = ({ quiet, flooded }: Sample): number => flooded / quiet;

/**
 * Clients that ask for models which do not exist: they are told so, and everybody else is served as before. What the bare proxy
 * shows of that comes of the load and of Node, and not of who answers.
 */
export async function benchUnknown(bench: Bench): Promise<void> {
  const { unknownPerSecond, rounds, seconds } = bench.extent;
  await withContestants(
    bench,
    { stub: 'answer', models: 1, probed: false, who: [startBareForOne, startCorral] },
    async (contestants) => {
      for (const contestant of contestants) await measure(bench, contestant);
      const measured = await interleave(contestants, rounds, async (contestant) => measure(bench, contestant));
      bench.print(`${unknownPerSecond} requests a second for an unknown model, ${seconds} s each time\n\n`);
      for (const [name, samples] of measured) bench.print(`${name}:\n\n${renderUnknown(samples)}\n`);
      bench.print(renderGoals(measured));
    },
  );
}

async function measure({ extent, tools, folder }: Bench, { port, pids }: Contestant): Promise<Sample> {
  const { seconds, unknownPerSecond } = extent;
  const load = async (more: Pick<Load, 'connections' | 'body' | 'pause' | 'perSecond' | 'yields'>): Promise<Loaded> =>
    runWrk(tools.wrk, folder, { port, seconds, ...more });
  const others = { ...OTHERS, body: chatBody('m0') };
  const quiet = await load(others);
  const body = chatBody('a-model-that-nobody-declares');
  const unknown = { connections: FLOOD_CONNECTIONS, perSecond: unknownPerSecond, body, yields: true };
  const before = cpuSecondsOf(pids);
  const [flood, flooded] = await Promise.all([load(unknown), load(others)]);
  const cpu = cpuSecondsOf(pids) - before;
  return {
    quiet: quiet.p99,
    flooded: flooded.p99,
    flood,
    cpu: (cpu / flood.requests) * 1e6,
    resident: residentMbOf(pids),
  };
}

function renderUnknown(samples: readonly Sample[]): string {
  const row = (title: string, digits: number, of: (sample: Sample) => number): string[] => {
    const { min, median, max } = spreadOf(samples.map(of));
    return [title, ...[min, median, max].map((value) => value.toFixed(digits))];
  };
  const rows = [
    row('unknown models asked for, per second', 0, ({ flood }) => flood.perSecond),
    row('answered otherwise than 404, or not at all', 0, ({ flood }) => flood.requests - flood.refused + flood.failed),
    row('CPU for a refusal, us', 1, ({ cpu }) => cpu),
    row('p99 of others before, ms', 2, ({ quiet }) => quiet),
    row('p99 of others meanwhile, ms', 2, ({ flooded }) => flooded),
    row('resident MB afterwards', 1, ({ resident }) => resident),
  ];
  return renderTable(['', 'min', 'median', 'max'], rows);
}

function renderGoals(measured: Rounds<Sample>): string {
  const samples = measured.get(CORRAL);
  const [first, last] = [samples?.at(0), samples?.at(-1)];
  const growth = first === undefined || last === undefined ? undefined : last.resident / first.resident;
  const goals = [
    atMost(`p99 of others at most ${MOST_SLOWER} times what it was`, medianOf(measured, CORRAL, slower), MOST_SLOWER),
    atMost('no growth of memory from the first round to the last (10 % more counts)', growth, NO_GROWTH),
  ];
  const bare = medianOf(measured, BARE, slower)?.toFixed(2);
  return `${goals.map(renderGoal).join('')}p99 of others of ${BARE}: ${bare ?? 'not measured'} times what it was\n`;
}
