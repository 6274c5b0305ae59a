import { dayFactor } from './day.ts';
import type { Random } from './random.ts';
import type { BurstGptRecipe } from './recipe.ts';
import { Sessions } from './sessions.ts';
import { addOfSession, meanGap, type Stage, type Tokens } from './stage.ts';

/**
 * The shape of BurstGPT (Wang et al., arXiv 2401.17644): gaps by a gamma of the shape 0.5 and lengths of prompts by Zipf's law with
 * the exponent 1.1, as its own workload generator has them by default; a mean of about 620 tokens asked and 126 answered, short
 * and long answers as two groups; days and nights. The depth of the night and where the groups lie are ours.
 */
const GAP_SHAPE = 0.5;
const PROMPT_EXPONENT = 1.1;
/** With this limit the mean is about 620. */
const MOST_PROMPT = 8192;
const LONG_SHARE = 0.29;
const SHORT = { median: 28, sigma: 0.6 };
const LONG = { median: 320, sigma: 0.4 };
const DEPTH = 0.6;

/** One stream of bursty arrivals, which is denser by day. */
export function generateBurstGpt(recipe: BurstGptRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const sessions = new Sessions(recipe, models.length, random);
  const gap = meanGap(recipe.rate);
  for (let at = 0; builder.length < recipe.requests; at += (gap * random.gamma(GAP_SHAPE)) / dayFactor(at, DEPTH)) {
    addOfSession(stage, sessions, at, drawLengths(random));
  }
}

function drawLengths(random: Random): Tokens {
  const { median, sigma } = random.next() < LONG_SHARE ? LONG : SHORT;
  return { prompt: drawPrompt(random), output: Math.max(1, Math.round(random.logNormal(median, sigma))) };
}

/** Zipf's law as a density over 1 to the most, by the inverse of its distribution. */
function drawPrompt(random: Random): number {
  const power = 1 - PROMPT_EXPONENT;
  return Math.floor((1 + random.next() * (MOST_PROMPT ** power - 1)) ** (1 / power));
}
