import type { Random } from './random.ts';
import type { Lengths } from './recipe.ts';
import type { Sessions } from './sessions.ts';
import { durationOf, type TableModel } from './table-model.ts';
import type { TraceBuilder } from './trace-builder.ts';

/** What a generator works with. */
export interface Stage {
  /** The most popular first. */
  readonly models: readonly TableModel[];
  readonly random: Random;
  readonly builder: TraceBuilder;
}

/** Tokens of one request. */
export interface Tokens {
  readonly prompt: number;
  readonly output: number;
}

/** Times in milliseconds: the mean from one event to the next at a rate in events per second. */
export const meanGap = (rate: number): number => 1000 / rate;

/** Adds a request; returns how long it takes. Throws a RangeError for a model that is not in the table. */
export function addRequest({ models, builder }: Stage, at: number, index: number, tokens: Tokens): number {
  const duration = durationOn(models, index, tokens);
  builder.add(at, index, duration);
  return duration;
}

/** Adds a request for the model that the sessions say. */
export function addOfSession(stage: Stage, sessions: Sessions, at: number, tokens: Tokens): void {
  const model = sessions.modelAt(at, (index) => durationOn(stage.models, index, tokens));
  addRequest(stage, at, model, tokens);
}

function durationOn(models: readonly TableModel[], index: number, { prompt, output }: Tokens): number {
  const model = models[index];
  if (model === undefined) throw new RangeError(`there is no model ${index} in a table of ${models.length}`);
  return durationOf(model, prompt, output);
}

/** At least one token each. */
export const drawTokens = (random: Random, { prompt, output }: { prompt: Lengths; output: Lengths }): Tokens => ({
  prompt: Math.max(1, Math.round(random.logNormal(prompt.median, prompt.sigma))),
  output: Math.max(1, Math.round(random.logNormal(output.median, output.sigma))),
});
