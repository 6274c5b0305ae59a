import { dayFactor } from './day.ts';
import type { Random } from './random.ts';
import type { AzureRecipe } from './recipe.ts';
import { Sessions } from './sessions.ts';
import { addOfSession, drawTokens, meanGap, type Stage, type Tokens } from './stage.ts';

/**
 * What is known of the Azure LLM inference traces: the medians of the lengths (Patel et al., Splitwise, ISCA 2024), hours in which the
 * busiest minute of the code service has about three times the mean while conversations come more evenly, and days and
 * nights that code follows more than conversations do (Stojkovic et al., DynamoLLM, HPCA 2025). Deviations of the lengths are ours.
 */
const SERVICES = {
  code: {
    lengths: { prompt: { median: 1500, sigma: 1 }, output: { median: 13, sigma: 1 } },
    minuteShape: 2,
    depth: 0.9,
  },
  conversation: {
    lengths: { prompt: { median: 1020, sigma: 1 }, output: { median: 129, sigma: 1 } },
    minuteShape: 12,
    depth: 0.4,
  },
} as const;

const MINUTE_MS = 60_000;
/** About the longest of the traces. */
const MOST_PROMPT = 16_384;
const MOST_OUTPUT = 2048;

/** Poisson within each minute, at a rate that follows the day and varies from minute to minute (gamma). */
export function generateAzure(recipe: AzureRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const { lengths, minuteShape, depth } = SERVICES[recipe.service];
  const sessions = new Sessions(recipe, models.length, random);
  for (let minute = 0; builder.length < recipe.requests; minute += MINUTE_MS) {
    const gap = meanGap(recipe.rate * dayFactor(minute, depth) * random.gamma(minuteShape));
    for (let at = random.exponential(gap); at < MINUTE_MS; at += random.exponential(gap)) {
      addOfSession(stage, sessions, minute + at, limited(random, lengths));
    }
  }
}

function limited(random: Random, lengths: Parameters<typeof drawTokens>[1]): Tokens {
  const { prompt, output } = drawTokens(random, lengths);
  return { prompt: Math.min(prompt, MOST_PROMPT), output: Math.min(output, MOST_OUTPUT) };
}
