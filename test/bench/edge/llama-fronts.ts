import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeFreePort } from '../../../src/backend/local/free-port.ts';
import { ask } from '../../../src/testing/http-kit.ts';
import { untilTrue } from '../../support/run-server.ts';
import { makeModels } from './on-node.ts';
import { API_KEY, LLAMA_SWAP, modelsOf, ROUTER, spawnPinned, untilServing, type Start } from './stage.ts';

export const startLlamaSwap: Start = async (stage) => {
  const { llamaSwap } = stage.tools;
  if (llamaSwap === undefined) return undefined;
  const port = await takeFreePort();
  const cmd = [stage.stub.program, '--port', '${PORT}'].join(' ');
  // It answers 429 beyond ten requests at once unless told otherwise.
  const model = { cmd, proxy: 'http://127.0.0.1:${PORT}', concurrencyLimit: 1000 };
  const models = Object.fromEntries(modelsOf(stage).map((name) => [name, model]));
  const groups = { all: { swap: false, exclusive: false, members: modelsOf(stage) } };
  const config = join(stage.folder, `llama-swap-${port}.json`);
  writeFileSync(config, JSON.stringify({ apiKeys: [API_KEY], models, groups }));
  const command = [llamaSwap, '--config', config, '--listen', `127.0.0.1:${port}`];
  const pid = spawnPinned(stage, `llama-swap-${port}`, { command });
  await untilServing(stage, LLAMA_SWAP, port);
  return { name: LLAMA_SWAP, port, pids: [pid], probe: undefined };
};

/**
 * llama-server's router runs its own file again for each model. It asks for the path of that file once, at its start: what
 * lies there afterwards is what it runs, so its children can be stubs too.
 */
export const startRouter: Start = async (stage) => {
  const { llamaServer } = stage.tools;
  if (llamaServer === undefined) return undefined;
  const port = await takeFreePort();
  const program = join(stage.folder, `llama-server-${port}`);
  copyFileSync(llamaServer, program);
  const models = ['--models-dir', makeModels(stage), '--models-max', String(stage.models)];
  const command = [program, ...models, '--api-key', API_KEY, '--host', '127.0.0.1', '--port', String(port)];
  const pid = spawnPinned(stage, `router-${port}`, { command });
  await untilTrue(ROUTER, async () => isUp(port), 20);
  copyFileSync(stage.stub.program, `${program}.stub`);
  renameSync(`${program}.stub`, program);
  await untilServing(stage, ROUTER, port);
  return { name: ROUTER, port, pids: [pid], probe: undefined };
};

const isUp = async (port: number): Promise<boolean> =>
  ask({ port }, { method: 'GET', path: '/health' }).then(
    ({ status }) => status === 200,
    () => false,
  );
