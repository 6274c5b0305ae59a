import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderTinyGguf } from '../../src/api/tiny-gguf.ts';
import { startCorral, type ServingCorral } from '../support/corral.ts';
import { tempFolder, type Cleanup } from '../support/temp-folder.ts';
import { directAnswers, type DirectAnswers } from './direct-answers.ts';
import { askFor, type Told, type Wording } from './wording.ts';

/** Two models that answer differently. */
export const MODELS = ['a', 'b'] as const;
export type Model = (typeof MODELS)[number];

/** A Corral with room for one of two models, and what their right answers are. */
export interface Stage {
  readonly corral: ServingCorral;
  /** Asks through Corral. Rejects unless the answer is, byte for byte, what llama-server answers by itself. */
  ask(model: Model, wording: Wording, onBegin?: () => void): Promise<Told>;
  /** Rejects if one of the last llama-servers was started while the one before it still existed, by its own or by Corral's word. */
  assertOneAtATime(): Promise<void>;
}

/** Throws if LLAMA_SERVER is not set. */
export async function setStage(t: Cleanup): Promise<Stage> {
  const { LLAMA_SERVER: llamaServer } = process.env;
  if (llamaServer === undefined) throw new Error('LLAMA_SERVER is not set');
  const folder = await tempFolder(t);
  for (const [seed, name] of MODELS.entries()) await writeFile(join(folder, `${name}.gguf`), renderTinyGguf({ seed }));
  const direct = {
    a: await directAnswers(t, llamaServer, folder, 'a'),
    b: await directAnswers(t, llamaServer, folder, 'b'),
  };
  const corral = await startCorral(t, ['--models-dir', folder, '--models-max', '1']);
  return {
    corral,
    ask: async (model, wording, onBegin) => askAndCompare(corral, direct[model], { model, wording }, onBegin),
    assertOneAtATime: async () => assertOneAtATime(corral),
  };
}

async function askAndCompare(
  corral: ServingCorral,
  direct: DirectAnswers,
  { model, wording }: { readonly model: Model; readonly wording: Wording },
  onBegin?: () => void,
): Promise<Told> {
  const expected = await direct(wording);
  const told = await askFor(corral, model, wording, onBegin);
  assert.equal(told.content, expected, `${model} answers as its llama-server does by itself`);
  return told;
}

/** Each trial looks at its own starts, and at the last one before. */
const MOST_STARTS_OF_A_TRIAL = 4;

/** Starts come one after another, so two at once show as one started beside the one before it. */
async function assertOneAtATime(corral: ServingCorral): Promise<void> {
  const starts = corral.starts().slice(-MOST_STARTS_OF_A_TRIAL - 1);
  for (const [index, { pid, besides }] of starts.entries()) {
    const before = starts.slice(0, index).at(-1);
    if (before === undefined) continue;
    assert.ok(!besides.includes(before.pid), `llama-server ${pid} was started beside ${before.pid}`);
    const gone = await corral.log.indexOf({ msg: 'replica gone', pid: before.pid });
    assert.ok(
      gone < (await corral.log.indexOf({ msg: 'replica started', pid })),
      `${before.pid} gone before ${pid} started`,
    );
  }
}
