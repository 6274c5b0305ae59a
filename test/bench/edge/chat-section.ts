import { interleave, withContestants, type Bench, type Rounds } from './bench.ts';
import { atMost, medianOf, medianRatio, renderGoal, renderRounds } from './edge-report.ts';
import { cpuSecondsOf } from './process-figures.ts';
import { chatBody } from './request-bodies.ts';
import { profileDuring } from './profile.ts';
import { BARE, CORRAL, LLAMA_SWAP, ROUTER, type Contestant } from './stage.ts';
import { runWrk, type Loaded } from './wrk.ts';

interface Sample extends Loaded {
  /** CPU seconds for 10,000 requests. */
  readonly cpu: number;
}

const CONNECTIONS = 32;
const MANY_CONNECTIONS = 256;
const MOST_WARM_UPS = 8;
/** The stub itself, without anything in front. */
const DIRECT = 'the stub itself';
/** Nearer to what the stub can do than this, a row says more of the stub than of the contestant. */
const CEILING = 0.9;

const cpu = (sample: Sample): number => sample.cpu;
const failures = ({ failed, refused }: Loaded): number => failed + refused;

async function load(bench: Bench, { port, pids }: Contestant, connections: number): Promise<Sample> {
  const before = cpuSecondsOf(pids);
  const { seconds } = bench.extent;
  const loaded = await runWrk(bench.tools.wrk, bench.folder, { port, connections, seconds, body: chatBody('m0') });
  return { ...loaded, cpu: ((cpuSecondsOf(pids) - before) / loaded.requests) * 10_000 };
}

/** Until a just-in-time compiler has seen enough, or this many turns have passed: some are not to be warmed. */
async function warmUp({ extent, ...bench }: Bench, contestant: Contestant): Promise<void> {
  let requests = 0;
  for (let turn = 0; turn < MOST_WARM_UPS && requests < extent.warmUp; turn += 1) {
    requests += (await load({ ...bench, extent }, contestant, CONNECTIONS)).requests;
  }
}

const noteOf = (rounds: Rounds<Sample>, ceiling: number) => (name: string) => {
  const rate = medianOf(rounds, name, ({ perSecond }) => perSecond);
  return name !== DIRECT && rate !== undefined && rate > CEILING * ceiling ? 'at the stub’s ceiling: no figure' : '';
};

/** The price of one small request: CPU time, because requests a second say as much of the load as of the proxy. */
export async function benchChat(bench: Bench): Promise<void> {
  const { rounds: count } = bench.extent;
  await withContestants(bench, { stub: 'answer', models: 1, probed: true }, async (contestants, { stub }) => {
    const direct = { name: DIRECT, port: stub.port, pids: [], probe: undefined };
    const all = [...contestants, direct];
    for (const contestant of all) await warmUp(bench, contestant);
    const rounds = await interleave(all, count, async (contestant) => load(bench, contestant, CONNECTIONS));
    bench.print(`${CONNECTIONS} connections, a chat completion of 1.2 KB, answer 600 bytes\n\n`);
    bench.print(renderChat(rounds));
    const many = await interleave(all, 1, async (contestant) => load(bench, contestant, MANY_CONNECTIONS));
    bench.print(renderMany(many));
    await profileDuring(bench, contestants, async (contestant) => load(bench, contestant, CONNECTIONS));
  });
}

function renderChat(rounds: Rounds<Sample>): string {
  const ceiling = medianOf(rounds, DIRECT, ({ perSecond }) => perSecond);
  const table = renderRounds(
    rounds,
    BARE,
    [
      { title: 'CPU s / 10,000', digits: 2, of: cpu },
      { title: 'requests/s', digits: 0, of: ({ perSecond }) => perSecond },
      { title: 'p50 ms', digits: 2, of: ({ p50 }) => p50 },
      { title: 'p99 ms', digits: 2, of: ({ p99 }) => p99 },
      { title: 'failed', digits: 0, of: failures },
    ],
    noteOf(rounds, ceiling === undefined ? Infinity : ceiling),
  );
  const ratio = (other: string): number | undefined => medianRatio(rounds, CORRAL, other, cpu);
  const goals = [
    atMost('CPU at most 1.40 times the bare proxy’s', ratio(BARE), 1.4),
    atMost('CPU at most 1/3 of llama-swap’s', ratio(LLAMA_SWAP), 1 / 3),
    atMost('CPU at most 1/4 of the router’s', ratio(ROUTER), 1 / 4),
  ];
  return `${table}\n${goals.map(renderGoal).join('')}`;
}

function renderMany(rounds: Rounds<Sample>): string {
  const failed = medianOf(rounds, CORRAL, failures);
  return renderGoal(atMost(`no error at ${MANY_CONNECTIONS} connections`, failed, 0, { unit: ' errors', digits: 0 }));
}
