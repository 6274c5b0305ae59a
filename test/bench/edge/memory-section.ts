import { renderTable } from '../../support/figures.ts';
import { withContestants, type Bench } from './bench.ts';
import { atMost, renderGoal } from './edge-report.ts';
import { openStream } from './event-client.ts';
import { residentMbOf } from './process-figures.ts';
import { eventsBody } from './request-bodies.ts';
import { BARE, CORRAL, modelsOf, type Contestant, type Stage } from './stage.ts';

/** Streams for one model: fewer than the connections that one llama-server gets. */
const STREAMS_PER_MODEL = 125;
const MOST_IDLE = 90;
const MOST_OPEN = 1.1;

interface Memory {
  /** MB when it has answered a few requests and nothing else. */
  readonly idle: number;
  /** MB with all the streams open. */
  readonly open: number;
}

/** What memory is taken by doing nothing, and by streams on which nothing comes. */
export async function benchMemory(bench: Bench): Promise<void> {
  const { idleStreams } = bench.extent;
  const models = Math.ceil(idleStreams / STREAMS_PER_MODEL);
  await withContestants(bench, { stub: 'events', models, probed: false }, async (contestants, stage) => {
    const memory = new Map<string, Memory>();
    for (const contestant of contestants) memory.set(contestant.name, await measure(contestant, stage, idleStreams));
    bench.print(`${idleStreams} open streams on which nothing comes, over ${models} models\n\n`);
    bench.print(renderMemory(memory, idleStreams));
  });
}

async function measure({ port, pids }: Contestant, stage: Stage, streams: number): Promise<Memory> {
  const idle = residentMbOf(pids);
  const models = modelsOf(stage);
  const opened: Awaited<ReturnType<typeof openStream>>[] = [];
  for (let stream = 0; stream < streams; stream += 1) {
    const [model = 'm0'] = models.slice(stream % models.length);
    opened.push(await openStream(port, eventsBody(model, 1, 0, true)));
  }
  const open = residentMbOf(pids);
  for (const response of opened) response.destroy();
  return { idle, open };
}

function renderMemory(memory: ReadonlyMap<string, Memory>, streams: number): string {
  const rows = [...memory].map(([name, { idle, open }]) => [
    name,
    idle.toFixed(1),
    open.toFixed(1),
    (((open - idle) * 1000) / streams).toFixed(1),
  ]);
  const [own, bare] = [memory.get(CORRAL), memory.get(BARE)];
  const ratio = own === undefined || bare === undefined ? undefined : own.open / bare.open;
  const goals = [
    atMost(`idle at most ${MOST_IDLE} MB`, own?.idle, MOST_IDLE, { unit: ' MB', digits: 1 }),
    atMost(`with the streams open at most ${MOST_OPEN} times the bare proxy’s`, ratio, MOST_OPEN),
  ];
  return `${renderTable(['resident MB', 'idle', 'streams open', 'kB per stream'], rows)}\n${goals.map(renderGoal).join('')}`;
}
