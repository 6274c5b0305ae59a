import type { ZipfRecipe } from './recipe.ts';
import { addRequest, drawTokens, meanGap, type Stage } from './stage.ts';
import { drawByZipf } from './zipf.ts';

/** Independent requests: a Poisson process, models by Zipf's law. */
export function generateZipf(recipe: ZipfRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const drawModel = drawByZipf(models.length, recipe.zipf);
  for (let at = 0; builder.length < recipe.requests; at += random.exponential(meanGap(recipe.rate))) {
    addRequest(stage, at, drawModel(random), drawTokens(random, recipe));
  }
}
