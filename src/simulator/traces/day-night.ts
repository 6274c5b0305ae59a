import { dayFactor } from './day.ts';
import type { DayNightRecipe } from './recipe.ts';
import { addRequest, drawTokens, meanGap, type Stage } from './stage.ts';
import { drawByZipf } from './zipf.ts';

/**
 * Each model belongs to one of the zones, in turn. A zone's rate follows a sine of 24 hours: a Poisson process at the highest rate,
 * of which as many are dropped as the time of day asks for (thinning: Lewis and Shedler, 1979).
 */
export function generateDayNight(recipe: DayNightRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const drawModel = drawByZipf(models.length, recipe.zipf);
  const highest = 1 + recipe.depth;
  const step = meanGap(recipe.rate * highest);
  for (let at = 0; builder.length < recipe.requests; at += random.exponential(step)) {
    const model = drawModel(random);
    const busy = dayFactor(at, recipe.depth, (model % recipe.zones) / recipe.zones);
    if (random.next() * highest < busy) addRequest(stage, at, model, drawTokens(random, recipe));
  }
}
