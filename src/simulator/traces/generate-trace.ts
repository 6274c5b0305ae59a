import type { Trace } from '../scenario.ts';
import { generateAzure } from './azure-shaped.ts';
import { generateBurstGpt } from './burstgpt-shaped.ts';
import { generateBursts } from './bursts.ts';
import { generateChatTitles } from './chat-titles.ts';
import { generateDayNight } from './day-night.ts';
import { generatePingPong } from './ping-pong.ts';
import { generateZipf } from './poisson.ts';
import { Random } from './random.ts';
import type { Recipe } from './recipe.ts';
import type { Stage } from './stage.ts';
import type { TableModel } from './table-model.ts';
import { TraceBuilder } from './trace-builder.ts';

/** Makes the trace of a recipe; the same one each time. Throws a RangeError for a table that is too small for it. */
export function generateTrace(recipe: Recipe, models: readonly TableModel[]): Trace {
  const builder = new TraceBuilder();
  generate(recipe, { models, random: new Random(recipe.seed), builder });
  return builder.build(recipe.requests);
}

function generate(recipe: Recipe, stage: Stage): void {
  switch (recipe.generator) {
    case 'zipf':
      generateZipf(recipe, stage);
      return;
    case 'bursts':
      generateBursts(recipe, stage);
      return;
    case 'day-night':
      generateDayNight(recipe, stage);
      return;
    case 'ping-pong':
      generatePingPong(recipe, stage);
      return;
    case 'chat-titles':
      generateChatTitles(recipe, stage);
      return;
    case 'azure':
      generateAzure(recipe, stage);
      return;
    case 'burstgpt':
      generateBurstGpt(recipe, stage);
      return;
  }
}
