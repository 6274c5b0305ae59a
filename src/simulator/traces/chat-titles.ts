import type { ChatTitlesRecipe } from './recipe.ts';
import { addRequest, drawTokens, meanGap, type Stage } from './stage.ts';
import { drawByZipf } from './zipf.ts';

/** What a title is asked with: the beginning of the chat, for a few words. */
const TITLE = { prompt: { median: 400, sigma: 0.5 }, output: { median: 8, sigma: 0.3 } };

/** Chats come as a Poisson process. Each asks one model, by Zipf's law, and after each answer the title model. */
export function generateChatTitles(recipe: ChatTitlesRecipe, stage: Stage): void {
  const { models, random, builder } = stage;
  const title = models.findIndex(({ name }) => name === recipe.titleModel);
  if (title === -1) throw new RangeError(`there is no model ${recipe.titleModel}`);
  const chats = models.flatMap(({ name }, index) => (name === recipe.titleModel ? [] : [index]));
  const drawChat = drawByZipf(chats.length, recipe.zipf);
  const betweenChats = meanGap(recipe.rate / (2 * recipe.turns));
  for (let start = 0; builder.length < recipe.requests; start += random.exponential(betweenChats)) {
    const model = Number(chats[drawChat(random)]);
    let at = start;
    for (let left = random.geometric(recipe.turns); left > 0; left -= 1) {
      at += addRequest(stage, at, model, drawTokens(random, recipe));
      addRequest(stage, at, title, drawTokens(random, TITLE));
      at += random.exponential(recipe.pause);
    }
  }
}
