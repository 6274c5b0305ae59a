import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import { JsonModelReader } from '../../src/edge/json-model.ts';
import { ask, portOf } from '../../src/testing/http-kit.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine, renderTable, spreadOf } from '../support/figures.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import type { ProxyQuestion, ProxyReport } from './body-proxy.ts';
import { largeBodies } from './large-bodies.ts';

const WARM_UPS = 3;
const BODIES_PER_TURN = 4;
/** As they come from a socket. */
const PIECE = 64 * 1024;

/** Prints what large bodies cost: looked at for their model alone, and on their whole way through a proxy. */
export async function benchBodies(rounds: number, print: (text: string) => void): Promise<void> {
  print(`${describeMachine()}\n${rounds} rounds each, after ${WARM_UPS} to warm up\n\n`);
  print(
    `Finding the model, CPU ms\n\n${renderTable(['body', 'MB', 'by', 'min', 'median', 'max'], readings(rounds))}\n`,
  );
  await withCleanup(async (t) => {
    const header = ['body', 'through', 'cpu min', 'median', 'max', 'stall median', 'max', 'MiB more afterwards'];
    print(`The whole way, ms\n\n${renderTable(header, await journeys(t, rounds))}`);
  });
}

const readers: readonly (readonly [name: string, read: (body: Buffer) => unknown])[] = [
  ['corral', readInPieces],
  ['JSON.parse', (body): unknown => JSON.parse(body.toString())],
];

function readInPieces(body: Buffer): unknown {
  const reader = new JsonModelReader();
  for (let size = PIECE; size < body.length; size += PIECE) reader.read(body, size);
  reader.read(body, body.length);
  return reader.finish(body.length);
}

/** They take turns, so that what disturbs the machine disturbs all alike. */
function readings(rounds: number): string[][] {
  const turns = [...largeBodies].flatMap(([kind, body]) =>
    readers.map(([name, read]) => ({ kind, body, name, read, times: new Array<number>() })),
  );
  for (let round = 0; round < WARM_UPS + rounds; round += 1) {
    for (const { read, body, times } of turns) {
      const time = cpuOf(() => read(body));
      if (round >= WARM_UPS) times.push(time);
    }
  }
  return turns.map(({ kind, body, name, times }) => [
    kind,
    (body.length / 1e6).toFixed(1),
    name,
    ...spreadCells(times),
  ]);
}

/** In milliseconds, of this thread. */
function cpuOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

function spreadCells(values: readonly number[]): string[] {
  const { min, median, max } = spreadOf(values);
  return [min, median, max].map((value) => value.toFixed(1));
}

/** A proxy in a process of its own. */
interface Proxy {
  readonly name: string;
  readonly port: number;
  ask<K extends ProxyQuestion>(question: K): Promise<ProxyReport & { readonly kind: K }>;
}

/** What the requests of one turn took, each. */
interface Taken {
  readonly cpu: number;
  readonly stall: number;
}

async function journeys(t: Cleanup, rounds: number): Promise<string[][]> {
  const replica = await startReplica(t);
  const proxies = [await startProxy(t, 'corral', replica), await startProxy(t, 'parsing', replica)];
  const turns = [...largeBodies].flatMap(([kind, body]) =>
    proxies.map((proxy) => ({ kind, body, proxy, taken: new Array<Taken>(), idle: new Array<number>() })),
  );
  for (let round = 0; round < WARM_UPS + rounds; round += 1) {
    for (const { proxy, body, taken, idle } of turns) {
      const before = await proxy.ask('used');
      const turn = await journey(proxy, body);
      const after = await proxy.ask('used');
      if (round < WARM_UPS) continue;
      taken.push(turn);
      idle.push(after.memory - before.memory);
    }
  }
  return turns.map(({ kind, proxy, taken, idle }) => {
    const stall = spreadOf(taken.map((one) => one.stall));
    const cpu = spreadCells(taken.map((one) => one.cpu));
    return [
      kind,
      proxy.name,
      ...cpu,
      ...spreadCells([stall.median, stall.max]).slice(1),
      spreadOf(idle).median.toFixed(1),
    ];
  });
}

const agent = new Agent({ keepAlive: true });

/** Some bodies one after the other, so that what their garbage costs is shared as it is in use. */
async function journey(proxy: Proxy, body: Buffer): Promise<Taken> {
  await proxy.ask('taken');
  for (let sent = 0; sent < BODIES_PER_TURN; sent += 1) {
    const { status, text } = await ask(proxy, { body, agent });
    if (status !== 200) throw new Error(`${proxy.name} answered ${status}: ${text}`);
  }
  const { cpu, stall } = await proxy.ask('taken');
  return { cpu: cpu / BODIES_PER_TURN, stall };
}

/** Takes any body and answers the same. */
async function startReplica(t: Cleanup): Promise<number> {
  const server = createServer((req, res) => {
    req.resume().once('end', () => res.end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return portOf(server);
}

async function startProxy(t: Cleanup, name: string, replica: number): Promise<Proxy> {
  const file = join(import.meta.dirname, 'body-proxy.ts');
  const child = fork(file, [name, String(replica)], { execArgv: ['--expose-gc'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
  });
  // It is asked one thing at a time, so that the next report is the answer.
  const report = async <K extends ProxyReport['kind']>(kind: K): Promise<ProxyReport & { readonly kind: K }> => {
    const told: unknown = (await Promise.race([once(child, 'message'), exited])).at(0);
    if (!isReport(told, kind)) throw new Error(`${name} did not tell what it was asked: ${String(told)}`);
    return told;
  };
  const { port } = await report('listening');
  return {
    name,
    port,
    ask: async (question) => {
      child.send(question);
      return report(question);
    },
  };
}

const isReport = <K extends ProxyReport['kind']>(told: unknown, kind: K): told is ProxyReport & { readonly kind: K } =>
  typeof told === 'object' && told !== null && 'kind' in told && told.kind === kind;
