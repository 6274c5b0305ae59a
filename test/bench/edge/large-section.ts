import { renderTable, spreadOf } from '../../support/figures.ts';
import { interleave, withContestants, type Bench, type Rounds } from './bench.ts';
import { atMost, medianOf, renderGoal } from './edge-report.ts';
import { postBody } from './post-chat.ts';
import { cpuSecondsOf, residentMbOf } from './process-figures.ts';
import { chatBody, largeBodies } from './request-bodies.ts';
import { CORRAL, type Contestant } from './stage.ts';
import { runWrk } from './wrk.ts';

interface Sample {
  /** CPU milliseconds for one request. */
  readonly cpu: number;
  /** The longest that the event loop stood still, in ms; `undefined`: it has none, or none that we can see. */
  readonly stall: number | undefined;
}

const MOST_CPU = 40;
const MOST_STALL = 20;
/** Resident memory counts as back within this share of what it was after small requests. */
const BACK = 1.1;

/** What an 8 MB request costs, and how long everybody else waits for it. */
export async function benchLarge(bench: Bench): Promise<void> {
  const { extent, print } = bench;
  await withContestants(bench, { stub: 'answer', models: 1, probed: true }, async (contestants) => {
    const settled = new Map<string, number>();
    for (const contestant of contestants) settled.set(contestant.name, await settle(bench, contestant));
    for (const [kind, body] of largeBodies('m0')) {
      const bytes = Buffer.from(body);
      const rounds = await interleave(contestants, extent.rounds, async (contestant) =>
        measure(contestant, bytes, extent.largeBodies),
      );
      print(`8 MB: ${kind}\n\n${renderLarge(rounds)}\n`);
    }
    print(await renderMemory(bench, contestants, settled));
  });
}

async function measure({ port, pids, probe }: Contestant, body: Buffer, times: number): Promise<Sample> {
  await probe?.watch();
  const before = cpuSecondsOf(pids);
  for (let time = 0; time < times; time += 1) await postBody(port, body);
  const cpu = ((cpuSecondsOf(pids) - before) / times) * 1000;
  return { cpu, stall: await probe?.stall() };
}

/** Resident memory in MB after a load of small requests. */
async function settle({ tools, folder, extent }: Bench, { port, pids }: Contestant): Promise<number> {
  await runWrk(tools.wrk, folder, { port, connections: 32, seconds: extent.seconds, body: chatBody('m0') });
  return residentMbOf(pids);
}

function renderLarge(rounds: Rounds<Sample>): string {
  const rows = [...rounds].map(([name, samples]) => {
    const { min, median, max } = spreadOf(samples.map(({ cpu }) => cpu));
    const stalls = samples.map(({ stall }) => stall).filter((stall) => stall !== undefined);
    const seen = stalls.length === 0 ? [] : [spreadOf(stalls)];
    return [
      name,
      ...[min, median, max].map((ms) => ms.toFixed(1)),
      ...(seen.length === 0 ? ['', ''] : seen.flatMap((stall) => [stall.median.toFixed(1), stall.max.toFixed(1)])),
    ];
  });
  const header = ['CPU ms / request', 'min', 'median', 'max', 'stall ms: median', 'max'];
  const stall = medianOf(rounds, CORRAL, ({ stall: ms }) => (ms === undefined ? Number.NaN : ms));
  const goals = [
    atMost(
      `CPU at most ${MOST_CPU} ms`,
      medianOf(rounds, CORRAL, ({ cpu }) => cpu),
      MOST_CPU,
      { unit: ' ms', digits: 1 },
    ),
    atMost(`the event loop stands still for at most ${MOST_STALL} ms`, stall, MOST_STALL, { unit: ' ms', digits: 1 }),
  ];
  return `${renderTable(header, rows)}\n${goals.map(renderGoal).join('')}`;
}

async function renderMemory(
  bench: Bench,
  contestants: readonly Contestant[],
  settled: ReadonlyMap<string, number>,
): Promise<string> {
  const rows: string[][] = [];
  let ratio: number | undefined;
  for (const contestant of contestants) {
    const before = settled.get(contestant.name);
    if (before === undefined) continue;
    const filled = residentMbOf(contestant.pids);
    const after = await settle(bench, contestant);
    if (contestant.name === CORRAL) ratio = after / before;
    rows.push([contestant.name, ...[before, filled, after].map((mb) => mb.toFixed(0))]);
  }
  const header = ['resident MB', 'after small requests', 'after the large ones', 'after small ones again'];
  return `${renderTable(header, rows)}\n${renderGoal(atMost('memory back afterwards (10 % more counts)', ratio, BACK))}`;
}
