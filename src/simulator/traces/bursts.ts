import type { BurstsRecipe } from './recipe.ts';
import { addRequest, drawTokens, meanGap, type Stage } from './stage.ts';
import { drawByZipf } from './zipf.ts';

/** Bursts come as a Poisson process; each is for one model, by Zipf's law, and has a geometric number of requests. */
export function generateBursts(recipe: BurstsRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const drawModel = drawByZipf(models.length, recipe.zipf);
  const betweenBursts = meanGap(recipe.rate / recipe.burst);
  for (let start = 0; builder.length < recipe.requests; start += random.exponential(betweenBursts)) {
    const model = drawModel(random);
    let at = start;
    for (let left = random.geometric(recipe.burst); left > 0; left -= 1) {
      addRequest(stage, at, model, drawTokens(random, recipe));
      at += random.exponential(recipe.gap);
    }
  }
}
