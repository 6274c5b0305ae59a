import { interleave, withContestants, type Bench, type Rounds } from './bench.ts';
import { atMost, medianOf, renderGoal } from './edge-report.ts';
import { renderTable, spreadOf } from '../../support/figures.ts';
import { chatBody } from './request-bodies.ts';
import { BARE, CORRAL } from './stage.ts';
import { runWrk, type Loaded } from './wrk.ts';

const DIRECT = 'the stub itself';
/** Milliseconds that Corral may add to what the bare proxy adds. */
const MOST_ADDED = 0.1;

/** What one request waits for the proxy when nobody else asks: one connection, one request at a time. */
export async function benchLone(bench: Bench): Promise<void> {
  const { extent, tools, folder, print } = bench;
  await withContestants(bench, { stub: 'answer', models: 1, probed: false }, async (contestants, { stub }) => {
    const all = [...contestants, { name: DIRECT, port: stub.port }];
    const rounds = await interleave(all, extent.rounds, async ({ port }) =>
      runWrk(tools.wrk, folder, { port, connections: 1, seconds: extent.seconds, body: chatBody('m0') }),
    );
    print(`one connection, the same request: median latency over the stub's own\n\n${renderLone(rounds)}`);
  });
}

const p50 = (sample: Loaded): number => sample.p50;

/** Milliseconds over the stub in the same round. */
const addedBy = (rounds: Rounds<Loaded>, name: string): readonly number[] => {
  const [own, direct] = [rounds.get(name), rounds.get(DIRECT)];
  if (own === undefined || direct === undefined) return [];
  return own.flatMap((sample, round) => direct.slice(round, round + 1).map((floor) => sample.p50 - floor.p50));
};

function renderLone(rounds: Rounds<Loaded>): string {
  const rows = [...rounds.keys()].map((name) => {
    const { min, median, max } = spreadOf(addedBy(rounds, name));
    const own = medianOf(rounds, name, p50);
    return [name, ...[min, median, max].map((ms) => ms.toFixed(3)), own === undefined ? '' : own.toFixed(3)];
  });
  const added = (name: string): number | undefined => {
    const values = addedBy(rounds, name);
    return values.length === 0 ? undefined : spreadOf(values).median;
  };
  const [own, bare] = [added(CORRAL), added(BARE)];
  const over = own === undefined || bare === undefined ? undefined : own - bare;
  const goal = atMost(`adds at most ${MOST_ADDED} ms more than the bare proxy`, over, MOST_ADDED, {
    unit: ' ms',
    digits: 3,
  });
  return `${renderTable(['added ms', 'min', 'median', 'max', 'p50 ms'], rows)}\n${renderGoal(goal)}`;
}
