import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderTinyGguf } from '../../../src/api/tiny-gguf.ts';
import { takeFreePort } from '../../../src/backend/local/free-port.ts';
import { ALLOCATOR_SETTING } from '../../../src/platform/allocator.ts';
import { connectProbe } from './probe-client.ts';
import {
  API_KEY,
  BARE,
  CORRAL,
  modelsOf,
  spawnPinned,
  untilServing,
  type Contestant,
  type Stage,
  type Start,
} from './stage.ts';

interface NodeProgram {
  /** After node itself. */
  readonly args: readonly string[];
  /** Laid over our environment. */
  readonly own?: NodeJS.ProcessEnv;
}

/** A Node program, with the probe in it where somebody will look. */
async function launchNode(
  stage: Stage,
  name: string,
  port: number,
  { args, own = {} }: NodeProgram,
): Promise<Contestant> {
  const { t, folder, programs, probed } = stage;
  const socket = join(folder, `probe-${port}.sock`);
  const probe = { EDGE_BENCH_PROBE: socket, NODE_OPTIONS: `--import=${programs.probe}` };
  const env = { ...process.env, ...own, ...(probed ? probe : {}) };
  const pid = spawnPinned(stage, `node-${port}`, { command: [process.execPath, ...args], env });
  await untilServing(stage, name, port);
  return { name, port, pids: [pid], probe: probed ? await connectProbe(t, socket) : undefined };
}

async function launchBare(stage: Stage, ...more: readonly string[]): Promise<Contestant> {
  const port = await takeFreePort();
  const args = [stage.programs.bareProxy, String(port), String(stage.stub.port), ...more];
  return launchNode(stage, BARE, port, { args });
}

export const startBare: Start = async (stage) => launchBare(stage);

/** The bare proxy, for one model alone. */
export const startBareForOne: Start = async (stage) => launchBare(stage, ...modelsOf({ ...stage, models: 1 }));

/** Real model files, which the stub does not read: who serves a folder looks into them. */
export function makeModels(stage: Stage): string {
  const folder = join(stage.folder, 'models');
  mkdirSync(folder, { recursive: true });
  const model = renderTinyGguf({ seed: 1 });
  for (const name of modelsOf(stage)) writeFileSync(join(folder, `${name}.gguf`), model);
  return folder;
}

/** More connections from one address than any client has. */
const CONNECTIONS = '4096';

/** `corral serve` as users run it: keys are asked for, metrics are on, the access log goes to a file. */
export const startCorral: Start = async (stage) => {
  const port = await takeFreePort();
  const args = [
    ...stage.programs.corral,
    'serve',
    ...['--models-dir', makeModels(stage), '--models-max', String(stage.models)],
    ...['--llama-server', stage.stub.program, '--port', String(port), '--admin-port', '0'],
    ...['--api-key', API_KEY, '--max-connections-per-address', CONNECTIONS],
  ];
  return launchNode(stage, CORRAL, port, { args, own: Object.fromEntries([ALLOCATOR_SETTING]) });
};
