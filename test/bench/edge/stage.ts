import { openSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../../src/testing/http-kit.ts';
import { runServer, untilTrue } from '../../support/run-server.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { pinned, type Cores } from './cores.ts';
import type { Probe } from './probe-client.ts';
import type { Programs } from './programs.ts';
import type { Stub } from './stub.ts';
import type { Tools } from './tools.ts';

/** Where contestants are set up. */
export interface Stage {
  readonly t: Cleanup;
  readonly folder: string;
  readonly cores: Cores | undefined;
  readonly tools: Tools;
  readonly programs: Programs;
  readonly stub: Stub;
  /** How many models there are: `m0`, `m1` and so on. One llama-server gets no more than 128 connections. */
  readonly models: number;
  /** Whether to look into those that run on Node. A probe takes memory. */
  readonly probed: boolean;
}

/** A proxy that runs. */
export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** Its processes, without the stubs that it has started. */
  readonly pids: readonly number[];
  /** Of those that run on Node, where the stage is probed. */
  readonly probe: Probe | undefined;
}

export const CORRAL = 'corral';
export const BARE = 'bare undici';
export const ROUTER = "llama-server's router";
export const LLAMA_SWAP = 'llama-swap';

/** Every request carries it, and whoever can check keys checks it. */
export const API_KEY = 'a-key-of-the-bench-0123456789abcdef';

/** Sets a contestant up. `undefined`: it is not installed. */
export type Start = (stage: Stage) => Promise<Contestant | undefined>;

/** The names of the models. */
export const modelsOf = ({ models }: Stage): string[] => Array.from({ length: models }, (_, index) => `m${index}`);

export interface Command {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command on the contestants' core, its output in a file of this name, and returns its process id. */
export function spawnPinned({ t, folder, cores }: Stage, name: string, { command, env }: Command): number {
  const [program, ...args] = pinned(cores?.contestant, command);
  if (program === undefined) throw new RangeError('a command of nothing');
  const output = openSync(join(folder, `${name}.log`), 'a');
  const { pid, stop } = runServer(program, args, { output, ...(env === undefined ? {} : { env }) });
  t.after(stop);
  return pid;
}

/** Resolves when each model has answered, which loads them where they are to be loaded. */
export async function untilServing(stage: Stage, name: string, port: number): Promise<void> {
  for (const model of modelsOf(stage)) await untilTrue(`${name} with ${model}`, async () => answers(port, model), 20);
}

const answers = async (port: number, model: string): Promise<boolean> =>
  ask(
    { port },
    {
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify({ model, events: 1, pause: 0, open: false }),
    },
  ).then(
    ({ status }) => status === 200,
    () => false,
  );
