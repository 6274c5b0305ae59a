import { join } from 'node:path';
import { takeFreePort } from '../../src/backend/local/free-port.ts';
import { ask } from '../../src/testing/http-kit.ts';
import { runServer, untilTrue } from '../support/run-server.ts';
import { LLAMA_ARGS } from '../support/corral.ts';
import type { Cleanup } from '../support/temp-folder.ts';
import { askFor, type Wording } from './wording.ts';

/** What a llama-server of our own answers. */
export type DirectAnswers = (wording: Wording) => Promise<string>;

/** Runs llama-server with a model, to learn what the right answers are. */
export async function directAnswers(
  t: Cleanup,
  llamaServer: string,
  folder: string,
  model: string,
): Promise<DirectAnswers> {
  const port = await takeFreePort();
  const args = [
    '--model',
    join(folder, `${model}.gguf`),
    ...LLAMA_ARGS,
    '--alias',
    model,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
  ];
  const server = runServer(llamaServer, args);
  t.after(server.stop);
  await untilTrue(`llama-server with ${model}`, async () => isUp(port), 10);
  return async (wording) => (await askFor({ port }, model, wording)).content;
}

const isUp = async (port: number): Promise<boolean> =>
  ask({ port }, { method: 'GET', path: '/health' }).then(
    ({ status }) => status === 200,
    () => false,
  );
