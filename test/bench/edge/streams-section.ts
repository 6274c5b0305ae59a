import { percentile } from '../../support/figures.ts';
import { interleave, withContestants, type Bench, type Rounds } from './bench.ts';
import { atLeast, atMost, medianOf, medianRatio, renderGoal, renderRounds } from './edge-report.ts';
import { readStreams } from './event-client.ts';
import { cpuSecondsOf } from './process-figures.ts';
import { eventsBody } from './request-bodies.ts';
import { BARE, CORRAL, type Contestant } from './stage.ts';
import { runWrk } from './wrk.ts';

/** Milliseconds between two events of a stream. */
const PAUSE = 20;

interface Paced {
  /** CPU seconds for a million events. */
  readonly cpu: number;
  /** Milliseconds from where an event is written to where it is read. */
  readonly p50: number;
  readonly p99: number;
}

interface Flood {
  readonly eventsPerSecond: number;
  readonly cpu: number;
  readonly failed: number;
}

/** What streams cost, paced as a model answers, and without pauses as no model does. */
export async function benchStreams(bench: Bench): Promise<void> {
  const { rounds, streams, eventsPerStream } = bench.extent;
  await withContestants(bench, { stub: 'events', models: 1, probed: false }, async (contestants) => {
    // What runs for the first time is not compiled yet: that is over after a second, and a proxy runs for weeks.
    for (const contestant of contestants) await measureFlood(bench, contestant);
    for (const contestant of contestants) await measurePaced(bench, contestant);
    const paced = await interleave(contestants, rounds, async (contestant) => measurePaced(bench, contestant));
    bench.print(`${streams} streams of ${eventsPerStream} events, one per ${PAUSE} ms\n\n${renderPaced(paced)}\n`);
    const flood = await interleave(contestants, rounds, async (contestant) => measureFlood(bench, contestant));
    bench.print(
      `the same streams without pauses, one after the other on ${streams} connections\n\n${renderFlood(flood)}`,
    );
  });
}

async function measurePaced({ extent }: Bench, { port, pids }: Contestant): Promise<Paced> {
  const { streams, eventsPerStream: events } = extent;
  const before = cpuSecondsOf(pids);
  const arrived = await readStreams({ port, streams, events, pause: PAUSE });
  const used = cpuSecondsOf(pids) - before;
  const [p50, p99] = [percentile(arrived.delays, 0.5), percentile(arrived.delays, 0.99)];
  return { cpu: (used / arrived.events) * 1e6, p50, p99 };
}

async function measureFlood({ extent, tools, folder }: Bench, { port, pids }: Contestant): Promise<Flood> {
  const before = cpuSecondsOf(pids);
  const { streams: connections, seconds, eventsPerStream } = extent;
  const body = eventsBody('m0', eventsPerStream, 0);
  const { requests, perSecond, failed, refused } = await runWrk(tools.wrk, folder, {
    port,
    connections,
    seconds,
    body,
  });
  const used = cpuSecondsOf(pids) - before;
  const eventsPerSecond = perSecond * eventsPerStream;
  return { eventsPerSecond, cpu: (used / (requests * eventsPerStream)) * 1e6, failed: failed + refused };
}

function renderPaced(rounds: Rounds<Paced>): string {
  const cpu = ({ cpu: seconds }: Paced): number => seconds;
  const p99 = (sample: Paced): number => sample.p99;
  const table = renderRounds(rounds, BARE, [
    { title: 'CPU s / million events', digits: 1, of: cpu },
    { title: 'delay p50 ms', digits: 2, of: ({ p50 }) => p50 },
    { title: 'delay p99 ms', digits: 2, of: p99 },
  ]);
  const goals = [
    atMost('CPU at most 1.25 times the bare proxy’s', medianRatio(rounds, CORRAL, BARE, cpu), 1.25),
    atMost('delay p99 no worse than the bare proxy’s', medianRatio(rounds, CORRAL, BARE, p99), 1),
  ];
  return `${table}\n${goals.map(renderGoal).join('')}`;
}

function renderFlood(rounds: Rounds<Flood>): string {
  const rate = ({ eventsPerSecond }: Flood): number => eventsPerSecond;
  const table = renderRounds(rounds, BARE, [
    { title: 'events/s', digits: 0, of: rate },
    { title: 'CPU s / million', digits: 1, of: ({ cpu }) => cpu },
    { title: 'failed', digits: 0, of: ({ failed }) => failed },
  ]);
  return `${table}\n${renderGoal(atLeast('at least 100,000 events/s', medianOf(rounds, CORRAL, rate), 100_000))}`;
}
