import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { takeFreePort } from '../../src/backend/local/free-port.ts';
import { ask } from '../../src/testing/http-kit.ts';
import { LLAMA_ARGS, startCorral } from '../support/corral.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { behind } from './behind.ts';
import type { Arena, Contestant } from './contestant.ts';
import { runServer, untilTrue } from '../support/run-server.ts';

/** How often to look whether a model is gone, where nothing tells: between the measurements, so it costs no figure. */
const LOOK_EVERY_MS = 10;

export async function corralContestant(t: Cleanup, { llamaServer, folder }: Arena): Promise<Contestant> {
  const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1'], { program: llamaServer });
  const unload = async (model: string): Promise<void> => {
    const gone = corral.log.waitFor({ msg: 'replica gone' }, corral.log.lines.length);
    await post(corral.port, '/models/unload', { model });
    await gone;
  };
  return behind('corral', { port: corral.port, unload });
}

/** llama-server's own router, with the arguments that Corral gives its children. */
export async function routerContestant(t: Cleanup, { llamaServer, folder }: Arena): Promise<Contestant> {
  const port = await takeFreePort();
  const args = ['--models-dir', folder, '--models-max', '1', '--host', '127.0.0.1', '--port', String(port)];
  const server = runServer(llamaServer, [...args, ...LLAMA_ARGS]);
  t.after(server.stop);
  await untilTrue("llama-server's router", async () => answers(port, '/health'), LOOK_EVERY_MS);
  const unload = async (model: string): Promise<void> => {
    await post(port, '/models/unload', { model });
    await untilTrue(`${model} unloaded`, async () => isUnloaded(port, model), LOOK_EVERY_MS);
  };
  return behind("llama-server's router", { port, unload });
}

/** The `llama-swap` that LLAMA_SWAP or PATH names; `undefined`: there is none. */
export function findLlamaSwap(env: NodeJS.ProcessEnv): string | undefined {
  if (env['LLAMA_SWAP'] !== undefined) return env['LLAMA_SWAP'];
  const path = env['PATH'] === undefined ? '' : env['PATH'];
  return path
    .split(delimiter)
    .map((folder) => join(folder, 'llama-swap'))
    .find((file) => existsSync(file));
}

/** llama-swap as its documentation sets it up: one model at a time, the macro PORT for the server's port. */
export async function llamaSwapContestant(t: Cleanup, program: string, arena: Arena): Promise<Contestant> {
  const port = await takeFreePort();
  const config = join(arena.folder, 'llama-swap.yaml');
  await writeFile(config, JSON.stringify({ models: { a: modelOf(arena, 'a'), b: modelOf(arena, 'b') } }));
  const server = runServer(program, ['--config', config, '--listen', `127.0.0.1:${port}`]);
  t.after(server.stop);
  await untilTrue('llama-swap', async () => answers(port, '/running'), LOOK_EVERY_MS);
  const unload = async (): Promise<void> => {
    await post(port, '/api/models/unload', {});
    await untilTrue('nothing running', async () => isNothingRunning(port), LOOK_EVERY_MS);
  };
  return behind('llama-swap', { port, unload });
}

const modelOf = ({ llamaServer, folder }: Arena, model: string): { readonly cmd: string; readonly proxy: string } => ({
  cmd: [llamaServer, '--model', join(folder, `${model}.gguf`), ...LLAMA_ARGS, '--port', '${PORT}'].join(' '),
  // By number: the name localhost would be looked up, and may mean ::1.
  proxy: 'http://127.0.0.1:${PORT}',
});

async function post(port: number, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await ask({ port }, { path, headers, body: JSON.stringify(body) });
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
}

async function answers(port: number, path: string): Promise<boolean> {
  return ask({ port }, { method: 'GET', path }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

const Models = Type.Object({
  data: Type.Array(Type.Object({ id: Type.String(), status: Type.Object({ value: Type.String() }) })),
});

async function isUnloaded(port: number, model: string): Promise<boolean> {
  const { text } = await ask({ port }, { method: 'GET', path: '/models' });
  const { data } = Value.Parse(Models, JSON.parse(text));
  return data.some(({ id, status }) => id === model && status.value === 'unloaded');
}

const Running = Type.Object({ running: Type.Array(Type.Unknown()) });

async function isNothingRunning(port: number): Promise<boolean> {
  const { text } = await ask({ port }, { method: 'GET', path: '/running' });
  return Value.Parse(Running, JSON.parse(text)).running.length === 0;
}
