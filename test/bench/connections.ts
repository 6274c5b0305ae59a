import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { layOut } from '../cluster/support/cluster-layout.ts';
import { onSignal } from '../cluster/support/on-signal.ts';
import { startCluster, type OwnCluster } from '../cluster/support/start-cluster.ts';
import { StartedProcesses } from '../cluster/support/started-processes.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine, renderTable, spreadOf } from '../support/figures.ts';
import { cpuSecondsOf } from './edge/process-figures.ts';
import { figureOf } from './scale/plane-figures.ts';

export interface ConnectionsExtent {
  /** Each watches all of `FOLLOWED`. */
  readonly clients: number;
  readonly rounds: number;
  readonly quietSeconds: number;
}

export const fullExtent = (rounds: number): ConnectionsExtent => ({ clients: 100, rounds, quietSeconds: 10 });

/** What an operator follows. */
const FOLLOWED = [
  '/apis/corral.dev/v1alpha1/modeldeployments',
  '/apis/corral.dev/v1alpha1/modelpools',
  '/apis/corral.dev/v1alpha1/edgereports',
  '/api/v1/namespaces',
  '/api/v1/pods',
];
const WATCH = '?watch=true&allowWatchBookmarks=true&timeoutSeconds=3600';

/** A client whose watches have all been answered; `close` breaks them off. */
interface Client {
  close(): void;
}

interface Access {
  readonly server: string;
  readonly ca: string;
  readonly headers: { readonly authorization: string };
}

type Way = (access: Access) => Promise<Client>;

/** As Corral does it. */
const aConnectionEach: Way = async ({ server, ca, headers }) => {
  const agent = new https.Agent({ ca });
  const watches = FOLLOWED.map((path) => https.get(`${server}${path}${WATCH}`, { agent, headers }));
  await Promise.all(watches.map(async (watch) => once(watch, 'response')));
  return {
    close: () => {
      for (const watch of watches) watch.on('error', () => undefined).destroy();
    },
  };
};

/** As HTTP/2 has it. */
const allInOne: Way = async ({ server, ca, headers }) => {
  const session = http2.connect(server, { ca });
  const streams = FOLLOWED.map((path) => session.request({ ':path': `${path}${WATCH}`, ...headers }));
  await Promise.all(streams.map(async (stream) => once(stream, 'response')));
  return {
    close: () => {
      for (const stream of streams) stream.on('error', () => undefined);
      session.on('error', () => undefined).destroy();
    },
  };
};

const WAYS: ReadonlyMap<string, Way> = new Map([
  ['a connection each, HTTP/1.1', aConnectionEach],
  ['streams of one, HTTP/2', allInOne],
]);

/** What one client costs the API server; memory in KiB, CPU in milliseconds. */
interface Cost {
  readonly memory: number;
  readonly goroutines: number;
  /** To connect, and until all of its watches were answered. */
  readonly opening: number;
  /** Of each minute in which nothing happens. */
  readonly perMinute: number;
}

/** Measures what watches over connections of their own cost a real API server, beside the same over one connection. */
export async function benchConnections(extent: ConnectionsExtent, print: (text: string) => void): Promise<void> {
  const { clients, rounds } = extent;
  print(`${describeMachine()}\n${clients} clients with ${FOLLOWED.length} watches each, ${rounds} times\n\n`);
  await withCleanup(async (t) => {
    const own = await startCluster({ nodes: 0, controllers: false });
    const forget = onSignal(async () => own.stop());
    t.after(async () => {
      forget();
      await own.stop();
    });
    await own.cluster.deployCrds();
    const costs = new Map([...WAYS.keys()].map((name): [string, Cost[]] => [name, []]));
    for (let round = 0; round < rounds; round += 1)
      for (const [name, way] of WAYS) costs.get(name)?.push(await measure(own, extent, way));
    print(render(costs));
  });
}

async function measure(own: OwnCluster, { clients, quietSeconds }: ConnectionsExtent, way: Way): Promise<Cost> {
  const { server, caFile, tokenFile } = own.cluster;
  const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;
  const access = { server, ca: readFileSync(caFile, 'utf8'), headers: { authorization } };
  const before = await weigh(own);
  const open = await Promise.all(Array.from({ length: clients }, async () => way(access)));
  const opened = await weigh(own);
  await pause(quietSeconds * 1000);
  const later = cpuOf(own);
  for (const client of open) client.close();
  await untilFallen(own, before.goroutines);
  return {
    memory: (opened.memory - before.memory) / clients / 1024,
    goroutines: (opened.goroutines - before.goroutines) / clients,
    opening: ((opened.cpuBefore - before.cpuAfter) * 1000) / clients,
    perMinute: (((later - opened.cpuAfter) * 1000) / clients) * (60 / quietSeconds),
  };
}

interface Weight {
  /** Heap in use after a collection, and stacks, in bytes. */
  readonly memory: number;
  readonly goroutines: number;
  /** CPU seconds before and after it was weighed, which costs some itself. */
  readonly cpuBefore: number;
  readonly cpuAfter: number;
}

async function weigh(own: OwnCluster): Promise<Weight> {
  const { api } = own.cluster;
  const cpuBefore = cpuOf(own);
  await api.call('GET', '/debug/pprof/heap?gc=1&debug=1');
  const scrape = String(await api.call('GET', '/metrics'));
  const figure = (name: string): number => figureOf(scrape, name);
  return {
    memory: figure('go_memstats_heap_alloc_bytes') + figure('go_memstats_stack_inuse_bytes'),
    goroutines: figure('go_goroutines'),
    cpuBefore,
    cpuAfter: cpuOf(own),
  };
}

/** Until the API server has noticed that the clients have gone. */
async function untilFallen(own: OwnCluster, goroutines: number): Promise<void> {
  for (let tries = 0; (await weigh(own)).goroutines > goroutines * 1.1; tries += 1) {
    if (tries > 60) throw new Error('the API server keeps watches whose clients have gone');
    await pause(1000);
  }
}

function cpuOf({ index }: OwnCluster): number {
  const pid = new StartedProcesses(layOut(index, 0).folder).find('kube-apiserver');
  if (pid === undefined) throw new Error('kube-apiserver does not run');
  return cpuSecondsOf([pid]);
}

function render(costs: ReadonlyMap<string, readonly Cost[]>): string {
  const header = ['each client', 'memory KiB', 'goroutines', 'CPU ms to open', 'CPU ms a minute'];
  const rows = [...costs].map(([name, all]) => [
    name,
    ...[all.map((cost) => cost.memory), all.map((cost) => cost.goroutines)].map(shown(0)),
    ...[all.map((cost) => cost.opening), all.map((cost) => cost.perMinute)].map(shown(1)),
  ]);
  return `${renderTable(header, rows)}\nThe least, the median and the most.\n`;
}

const shown =
  (digits: number) =>
  (values: readonly number[]): string => {
    const { min, median, max } = spreadOf(values);
    return [min, median, max].map((value) => value.toFixed(digits)).join(' / ');
  };
