import type { PingPongRecipe } from './recipe.ts';
import { addRequest, drawTokens, meanGap, type Stage } from './stage.ts';
import { drawByZipf, type Draw } from './zipf.ts';

/**
 * Agents come as a Poisson process. Each asks two models in turn, and the next one a pause after the answer of the last. What it
 * would wait for a cold start is not in the trace, so that each policy gets the same one.
 */
export function generatePingPong(recipe: PingPongRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  if (models.length < 2) throw new RangeError('two models are needed to go from one to the other');
  const drawModel = drawByZipf(models.length, recipe.zipf);
  const betweenAgents = meanGap(recipe.rate / recipe.steps);
  for (let start = 0; builder.length < recipe.requests; start += random.exponential(betweenAgents)) {
    let [now, next] = drawPair(drawModel, stage);
    let at = start;
    for (let left = random.geometric(recipe.steps); left > 0; left -= 1) {
      at += addRequest(stage, at, now, drawTokens(random, recipe)) + random.exponential(recipe.pause);
      [now, next] = [next, now];
    }
  }
}

function drawPair(drawModel: Draw, { models, random }: Stage): [number, number] {
  const first = drawModel(random);
  const second = drawModel(random);
  return second === first ? [first, (first + 1) % models.length] : [first, second];
}
