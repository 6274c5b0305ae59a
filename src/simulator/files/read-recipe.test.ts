import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem } from '../../api/problem.ts';
import type { Recipe } from '../traces/recipe.ts';
import type { ModelTable } from '../traces/table-model.ts';
import { readModelTable } from './read-model-table.ts';
import { readRecipe } from './read-recipe.ts';

function tableOf(...names: readonly string[]): ModelTable {
  const models = names.map((name) => `{ name: ${name}, loadTime: 1s }`).join(', ');
  const table = readModelTable(`pool: { maxLoaded: 1 }\nmodels: [${models}]`, 'm.yaml');
  assert.ok(table.ok);
  return table.value;
}
const two = tableOf('big', 'title');

function good(text: string): Recipe {
  const recipe = readRecipe(text, 't.yaml', two);
  if (!recipe.ok) assert.fail(recipe.problems.map(formatProblem).join('\n'));
  return recipe.value;
}

function bad(text: string, table = two): string {
  const recipe = readRecipe(text, 't.yaml', table);
  assert.ok(!recipe.ok, 'it is refused');
  return recipe.problems.map(formatProblem).join('\n');
}

const COMMON = 'seed: 3, requests: 10, rate: 0.5';
const TOKENS = 'prompt: { median: 5, sigma: 0 }, output: { median: 6 }';
const common = { seed: 3, requests: 10, rate: 0.5, zipf: 1 };
const tokens = { prompt: { median: 5, sigma: 0 }, output: { median: 6, sigma: 1 } };

describe('a recipe', () => {
  for (const [text, own] of [
    [`zipf, zipf: 0, ${TOKENS}`, { generator: 'zipf', ...tokens, zipf: 0 }],
    [`bursts, burst: 4, gap: 2s, ${TOKENS}`, { generator: 'bursts', ...tokens, burst: 4, gap: 2000 }],
    [`day-night, zones: 3, depth: 0.5, ${TOKENS}`, { generator: 'day-night', ...tokens, zones: 3, depth: 0.5 }],
    [`ping-pong, steps: 4, pause: 2s, ${TOKENS}`, { generator: 'ping-pong', ...tokens, steps: 4, pause: 2000 }],
    [
      `chat-titles, titleModel: title, turns: 4, pause: 2s, ${TOKENS}`,
      { generator: 'chat-titles', ...tokens, titleModel: 'title', turns: 4, pause: 2000 },
    ],
    [`azure, service: code, turns: 4, pause: 2s`, { generator: 'azure', service: 'code', turns: 4, pause: 2000 }],
    [`burstgpt, turns: 4, pause: 2s`, { generator: 'burstgpt', turns: 4, pause: 2000 }],
  ] as const) {
    it(`is read, with all of its generator's own fields: ${own.generator}`, () => {
      assert.deepEqual(good(`{ generator: ${text}, ${COMMON} }`), { ...common, ...own });
    });
  }
  for (const [what, text, expected] of [
    ['no generator', `{ ${COMMON} }`, /^t\.yaml:1:1: generator: the field is missing\. It must be zipf or bursts/u],
    ['an unknown generator', `{ generator: zip, ${COMMON} }`, /generator: must be zipf or .*, not "zip"\.$/u],
    [
      'a field of another generator',
      `{ generator: burstgpt, turns: 1, pause: 1s, zones: 2, ${COMMON} }`,
      /zones: there is no such field/u,
    ],
    ['no seed', `{ generator: burstgpt, turns: 1, pause: 1s, requests: 1, rate: 1 }`, /seed: the field is missing/u],
    [
      'no requests',
      `{ generator: burstgpt, turns: 1, pause: 1s, seed: 1, requests: 0, rate: 1 }`,
      /requests: must be a whole number from 1/u,
    ],
    [
      'no rate',
      `{ generator: burstgpt, turns: 1, pause: 1s, seed: 1, requests: 1, rate: 0 }`,
      /rate: must be a number from 0\.001/u,
    ],
    [
      'a pause that is no time',
      `{ generator: burstgpt, turns: 1, pause: later, ${COMMON} }`,
      /pause: must be a duration/u,
    ],
    [
      'a title model that is not in the table',
      `{ generator: chat-titles, titleModel: tittle, turns: 4, pause: 2s, ${TOKENS}, ${COMMON} }`,
      /^t\.yaml:1:39: titleModel: there is no model tittle in the table of models\. Did you mean title\?$/u,
    ],
  ] as const) {
    it(`with ${what} is refused, and it says where, why and what to do`, () => {
      assert.match(bad(text), expected);
    });
  }
  it('that needs two models is refused for a table of one', () => {
    const text = `{ generator: ping-pong, steps: 4, pause: 2s, ${TOKENS}, ${COMMON} }`;
    assert.match(
      bad(text, tableOf('one')),
      /^t\.yaml:1:14: generator: ping-pong needs two models at least, and the table has one\.$/u,
    );
  });
});
