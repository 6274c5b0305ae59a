import { join } from 'node:path';
import { newPrefix, renderArguments } from '../../src/backend/local/command-line.ts';
import { releasePort, takeFreePort } from '../../src/backend/local/free-port.ts';
import { isHealthy } from '../../src/backend/local/probe.ts';
import { aPreset } from '../../src/testing/worlds.ts';
import { LLAMA_ARGS } from '../support/corral.ts';
import { COLD, SWAP, WARM, type Arena, type Contestant } from './contestant.ts';
import { firstByte } from './first-byte.ts';
import { runServer, untilTrue, type Server } from '../support/run-server.ts';

/** As Corral. Probing more often gives no better figure: on few cores it slows the loading that it watches. */
const PROBE_EVERY_MS = 5;

/** A llama-server of our own, with the arguments that Corral would give it. */
interface Bare {
  readonly server: Server;
  readonly port: number;
  readonly prefix: string;
}

async function start({ llamaServer, folder }: Arena, model: string): Promise<Bare> {
  const port = await takeFreePort();
  const endpoint = { origin: `http://127.0.0.1:${port}`, prefix: newPrefix(process.pid) };
  const { launch, ...preset } = aPreset(model);
  const args = ['--model', join(folder, `${model}.gguf`), ...LLAMA_ARGS];
  const server = runServer(llamaServer, renderArguments({ ...preset, launch: { ...launch, args } }, endpoint));
  await untilTrue(`llama-server with ${model}`, async () => isHealthy(endpoint), PROBE_EVERY_MS);
  return { server, port, prefix: endpoint.prefix };
}

async function stop({ server, port }: Bare): Promise<void> {
  await server.stop();
  releasePort(port);
}

/** Milliseconds since the last call, or since it was made. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return last - before;
  };
}

/** What nobody in front of llama-server can be faster than: the same steps, one after the other, by hand. */
export const bareContestant = (arena: Arena): Contestant => ({
  name: 'llama-server',
  round: async () => {
    const lap = stopwatch();
    const a = await start(arena, 'a');
    const ready = lap();
    const first = await firstByte(a, 'a', a.prefix);
    const warm = await firstByte(a, 'a', a.prefix);
    lap();
    await stop(a);
    const stopped = lap();
    const b = await start(arena, 'b');
    const readyAgain = lap();
    const firstOfB = await firstByte(b, 'b', b.prefix);
    await stop(b);
    return new Map([
      ['spawn to ready', ready],
      ['first byte of the first request', first],
      ['stop: SIGTERM to exit', stopped],
      [COLD, ready + first],
      [SWAP, stopped + readyAgain + firstOfB],
      [WARM, warm],
    ]);
  },
});
