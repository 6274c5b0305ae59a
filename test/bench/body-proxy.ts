import { createServer } from 'node:http';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { startEdge } from '../../src/testing/edge-testbed.ts';
import { portOf, replicaAt } from '../../src/testing/http-kit.ts';

/** What a proxy's process tells: its port first; what it took since it was asked last, when it is asked; and what it uses. */
export type ProxyReport =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'taken';
      /** CPU time of all its threads, in milliseconds. */
      readonly cpu: number;
      /** The longest time in which its event loop did not turn, in milliseconds. */
      readonly stall: number;
    }
  /** After a garbage collection, in MiB. */
  | { readonly kind: 'used'; readonly memory: number };

/** Milliseconds. */
const A_MOMENT = 100;

/** What it can be asked. */
export type ProxyQuestion = 'taken' | 'used';

/** Corral's edge with one model, its replica at a port. */
async function corral(replicaPort: number): Promise<number> {
  const bed = await startEdge({ after: () => undefined });
  bed.publish({ model: 'a', replicas: [replicaAt('r1', replicaPort)] });
  return bed.port;
}

/** The simplest proxy that knows the model: it gathers the body, parses it, and sends it on. */
async function parsing(replicaPort: number): Promise<number> {
  const replica = new Pool(`http://127.0.0.1:${replicaPort}`);
  const server = createServer((req, res) => {
    void (async () => {
      const body = await text(req);
      const parsed: unknown = JSON.parse(body);
      if (typeof parsed !== 'object') throw new Error('the body is no object');
      const answer = await replica.request({ method: 'POST', path: '/', body });
      res.end(await answer.body.text());
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

const proxies: ReadonlyMap<string | undefined, (replicaPort: number) => Promise<number>> = new Map([
  ['corral', corral],
  ['parsing', parsing],
]);

async function used(): Promise<ProxyReport> {
  globalThis.gc?.();
  // What waits for a turn of the event loop, as the ends of connections do, keeps things until then.
  await delay(A_MOMENT);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { kind: 'used', memory: (heapUsed + external) / 2 ** 20 };
}

async function main([name, replicaPort]: readonly string[]): Promise<void> {
  const start = proxies.get(name);
  if (start === undefined) throw new Error(`there is no proxy ${name}`);
  const tell = (report: ProxyReport): void => void process.send?.(report);
  tell({ kind: 'listening', port: await start(Number(replicaPort)) });
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let before = process.cpuUsage();
  const answerTo = async (question: ProxyQuestion): Promise<ProxyReport> => {
    if (question === 'used') return used();
    const { user, system } = process.cpuUsage(before);
    return { kind: 'taken', cpu: (user + system) / 1000, stall: delays.max / 1e6 };
  };
  process.on('message', (question: ProxyQuestion) => {
    void answerTo(question).then((report) => {
      tell(report);
      before = process.cpuUsage();
      delays.reset();
    });
  });
}

await main(process.argv.slice(2));
