import Type from 'typebox';
import { duration } from '../../api/common-schemas.ts';
import { type Extra, object, oneOf, text, whole } from '../../api/schema-kit.ts';
import { number, rate } from './number-schemas.ts';

const LARGEST_SEED = 0xffff_ffff;

const lengths = (description: string): ReturnType<typeof makeLengths> => makeLengths(description);
const makeLengths = (description: string) =>
  object(description, {
    median: number('Half of them are shorter.', 1, 1_000_000),
    sigma: Type.Optional(number('The deviation of their logarithms; 1 if nobody says.', 0, 5)),
  });

const common = {
  seed: whole('The same seed gives the same trace.', 0, LARGEST_SEED),
  requests: whole('How many to make.', 1, 100_000_000),
  rate: rate('Requests in a second, on the average.'),
  zipf: Type.Optional(
    number("How popular the first models are beside the last: the exponent of Zipf's law; 1 if nobody says.", 0, 5),
  ),
};
const tokens = { prompt: lengths('Tokens that are asked.'), output: lengths('Tokens that are answered.') };
const mean = (description: string): Type.TNumber => number(description, 1, 1_000_000);
const sessions = {
  turns: mean('Requests of one person to one model, on the average; 1: each is for itself.'),
  pause: duration("From an answer to that person's next request, on the average."),
};

const recipe = <const Name extends string, Members extends Type.TProperties>(
  generator: Name,
  description: string,
  members: Members,
  extra: Extra = {},
) => object(description, { generator: oneOf('Its name.', [generator]), ...common, ...members }, extra);

/** What may be written for each generator. */
export const RECIPE_SCHEMAS = {
  zipf: recipe('zipf', 'Independent requests.', tokens),
  bursts: recipe('bursts', 'Bursts of requests for one model.', {
    ...tokens,
    burst: mean('Requests in a burst, on the average.'),
    gap: duration('Between two requests of a burst, on the average.'),
  }),
  'day-night': recipe('day-night', 'Groups of models that are used at different times of the day.', {
    ...tokens,
    zones: whole('Groups, to which the models are dealt in turn.', 1, 24),
    depth: number('How much the rate of a group rises and falls around its mean.', 0, 1),
  }),
  'ping-pong': recipe('ping-pong', 'Agents that ask two models in turn.', {
    ...tokens,
    steps: mean('Requests of an agent, on the average.'),
    pause: duration('From an answer to the next request, on the average.'),
  }),
  'chat-titles': recipe('chat-titles', 'Chats that ask a title model after each answer.', {
    ...tokens,
    titleModel: text('the name of a model of the table', 'The model that makes titles.', { maxLength: 256 }),
    turns: mean('Questions of a chat, on the average.'),
    pause: duration('From an answer to the next question, on the average.'),
  }),
  azure: recipe('azure', 'Shaped as the Azure LLM inference traces.', {
    ...sessions,
    service: oneOf('Which of the two services.', ['code', 'conversation']),
  }),
  burstgpt: recipe('burstgpt', 'Shaped as BurstGPT.', sessions),
};

export const RecipeHeadSchema = object(
  'A recipe.',
  {
    generator: oneOf('Which generator makes it.', [
      'zipf',
      'bursts',
      'day-night',
      'ping-pong',
      'chat-titles',
      'azure',
      'burstgpt',
    ]),
  },
  { additionalProperties: true },
);
