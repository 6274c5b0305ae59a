import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_RESOURCES } from '../../domain/resources.ts';
import { seconds } from '../../domain/units.ts';
import type { Trace } from '../scenario.ts';
import { generateTrace } from './generate-trace.ts';
import type { Recipe } from './recipe.ts';
import type { TableModel } from './table-model.ts';
import { zipfShares } from './zipf.ts';

const DAY_MS = 24 * 3_600_000;

const model = (name: string, rates: Partial<TableModel> = {}): TableModel => ({
  name,
  loadTime: seconds(5),
  stopTime: seconds(1),
  idleTimeout: seconds(0),
  footprint: NO_RESOURCES,
  priority: 0,
  minReplicas: 0,
  maxReplicas: 1,
  targetInFlight: 4,
  promptRate: 1000,
  outputRate: 100,
  ...rates,
});
const table = (count: number, rates: Partial<TableModel> = {}): TableModel[] =>
  Array.from({ length: count }, (_, index) => model(`m${index}`, rates));

const tokens = { prompt: { median: 100, sigma: 0.5 }, output: { median: 50, sigma: 0.5 } };
const common = { seed: 7, requests: 20_000, rate: 2, zipf: 1 };
const person = { turns: 5, pause: seconds(20) };
const RECIPES = {
  zipf: { generator: 'zipf', ...common, ...tokens },
  bursts: { generator: 'bursts', ...common, ...tokens, burst: 10, gap: seconds(2) },
  'day-night': { generator: 'day-night', ...common, ...tokens, rate: 0.05, zones: 2, depth: 0.9 },
  'ping-pong': { generator: 'ping-pong', ...common, ...tokens, steps: 8, pause: seconds(2) },
  'chat-titles': { generator: 'chat-titles', ...common, ...tokens, titleModel: 'm2', turns: 4, pause: seconds(5) },
  azure: { generator: 'azure', ...common, ...person, service: 'code' },
  burstgpt: { generator: 'burstgpt', ...common, ...person },
} as const satisfies Readonly<Record<Recipe['generator'], Recipe>>;
const names = Object.keys(RECIPES) as (keyof typeof RECIPES)[];

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, one) => sum + one, 0) / values.length;
const median = (values: ArrayLike<number>): number =>
  Number(Array.from(values).sort((a, b) => a - b)[values.length >> 1]);
const near = (actual: number, expected: number, part: number): void => {
  assert.ok(Math.abs(actual - expected) <= expected * part, `${actual} is not near ${expected}`);
};
const gapsOf = (times: ArrayLike<number>): number[] =>
  Array.from(times).flatMap((time, index) => (index === 0 ? [] : [time - Number(times[index - 1])]));
/** 1 for a Poisson process. */
const variation = (gaps: readonly number[]): number =>
  Math.sqrt(mean(gaps.map((gap) => gap ** 2)) - mean(gaps) ** 2) / mean(gaps);
const timesOf = ({ at, model: models }: Trace, which: number): number[] =>
  Array.from(at).filter((_, index) => models[index] === which);
const countsIn = (at: ArrayLike<number>, window: number): number[] => {
  const counts = new Map<number, number>();
  const windowOf = (time: number): number => Math.floor(time / window);
  for (const time of Array.from(at)) {
    const before = counts.get(windowOf(time));
    counts.set(windowOf(time), before === undefined ? 1 : before + 1);
  }
  return [...counts.values()];
};
/** How often each model is asked for. */
const sharesOf = (trace: Trace, count: number): number[] =>
  table(count).map((_, index) => timesOf(trace, index).length / trace.at.length);

describe('every generator', () => {
  it('makes exactly as many requests as it is told, in the order of their times, for models of the table', () => {
    const recipe = fc.constantFrom(...names);
    fc.assert(
      fc.property(
        recipe,
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 3, max: 9 }),
        (name, ...numbers) => {
          const [seed, requests, count] = numbers;
          const trace = generateTrace({ ...RECIPES[name], seed, requests }, table(count));
          assert.deepEqual(
            [trace.at.length, trace.model.length, trace.duration.length],
            [requests, requests, requests],
          );
          assert.ok(gapsOf(trace.at).every((gap) => gap >= 0));
          assert.ok(trace.model.every((index) => index < count));
          assert.ok(trace.duration.every((duration) => duration > 0 && Number.isFinite(duration)));
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
  for (const name of names) {
    it(`repeats its trace for its seed, and makes another for another: ${name}`, () => {
      const make = (seed: number): Trace => generateTrace({ ...RECIPES[name], seed, requests: 200 }, table(5));
      assert.deepEqual(make(3), make(3));
      assert.notDeepEqual(make(3).at, make(4).at);
    });
    // A sine that is cut off in the middle of a day has another mean: whole days only.
    it(`has the rate that it is told: ${name}`, () => {
      const rate = 0.1;
      const requests = (rate * 2 * DAY_MS) / 1000;
      const { at } = generateTrace({ ...RECIPES[name], rate, requests }, table(5));
      near(at.length / (Number(at.at(-1)) / 1000), rate, 0.1);
    });
  }
});

describe('independent requests', () => {
  const trace = generateTrace(RECIPES.zipf, table(6));
  it('come as a Poisson process', () => {
    near(variation(gapsOf(trace.at)), 1, 0.05);
  });
  it("are spread over the models by Zipf's law, the first the most popular", () => {
    for (const [index, share] of zipfShares(6, 1).entries()) near(Number(sharesOf(trace, 6)[index]), share, 0.1);
    const alike = generateTrace({ ...RECIPES.zipf, zipf: 0 }, table(6));
    for (const share of sharesOf(alike, 6)) near(share, 1 / 6, 0.1);
  });
  it('take the time of their tokens at the rates of their model', () => {
    const slow = generateTrace(RECIPES.zipf, [model('slow', { promptRate: 1e6, outputRate: 1 })]);
    near(median(slow.duration), 50_000, 0.05);
    const reading = generateTrace(RECIPES.zipf, [model('slow', { promptRate: 1, outputRate: 1e6 })]);
    near(median(reading.duration), 100_000, 0.05);
  });
});

it('bursts are for one model: its requests come together, and not as a Poisson process', () => {
  const { at, model: models } = generateTrace({ ...RECIPES.bursts, rate: 0.1 }, table(20));
  const repeated = models.filter((one, index) => one === models[index - 1]).length / models.length;
  assert.ok(repeated > 0.75, `${repeated} of the requests are for the model of the one before`);
  assert.ok(variation(gapsOf(at)) > 2);
});

it('zones have their days at different times, and the night is quiet', () => {
  const trace = generateTrace({ ...RECIPES['day-night'], rate: 0.2, requests: 35_000, zipf: 0 }, table(2));
  /** In the quarter of the day around the highest point of the first zone, and twelve hours later. */
  const within = (zone: number, quarter: number): number =>
    timesOf(trace, zone).filter((time) => Math.abs(((time / DAY_MS) % 1) - quarter) < 0.125).length;
  assert.ok(within(0, 0.25) > 5 * within(0, 0.75));
  assert.ok(within(1, 0.75) > 5 * within(1, 0.25));
});

it('an agent asks two models in turn, each after the answer of the other', () => {
  const recipe = { ...RECIPES['ping-pong'], rate: 0.0011, steps: 1000, requests: 900 };
  const { at, model: models, duration } = generateTrace(recipe, table(9));
  assert.equal(new Set(models).size, 2);
  for (let index = 1; index < models.length; index += 1) {
    assert.notEqual(models[index], models[index - 1]);
    assert.ok(Number(at[index]) >= Number(at[index - 1]) + Number(duration[index - 1]));
  }
});

it('each answer of a chat is followed by a title, at its end, from the title model', () => {
  const {
    at,
    model: models,
    duration,
  } = generateTrace({ ...RECIPES['chat-titles'], rate: 0.01, requests: 2000 }, table(3));
  const ends = new Set(Array.from(at, (time, index) => time + Number(duration[index])));
  const titles = Array.from(at).filter((_, index) => models[index] === 2);
  near(titles.length, 1000, 0.02);
  assert.ok(titles.every((time) => ends.has(time)));
});

describe('a trace shaped as those of Azure', () => {
  const only = (service: 'code' | 'conversation', rates: Partial<TableModel>): Trace =>
    generateTrace({ ...RECIPES.azure, service, rate: 4, requests: 20_000 }, [model('one', rates)]);
  it('has the medians of their lengths', () => {
    for (const [service, prompt, output] of [
      ['code', 1500, 13],
      ['conversation', 1020, 129],
    ] as const) {
      near(median(only(service, { promptRate: 1000, outputRate: 1e9 }).duration), prompt, 0.05);
      near(median(only(service, { promptRate: 1e9, outputRate: 1000 }).duration), output, 0.1);
    }
  });
  it('has busy minutes, those of code about three times the mean and those of conversations less', () => {
    const peakOf = (service: 'code' | 'conversation'): number => {
      const perMinute = countsIn(only(service, {}).at, 60_000);
      return Math.max(...perMinute) / mean(perMinute);
    };
    const [code, conversation] = [peakOf('code'), peakOf('conversation')];
    assert.ok(code > 2.2 && code < 5, `code ${code}`);
    assert.ok(conversation < 2.2, `conversation ${conversation}`);
  });
});

describe('a trace shaped as BurstGPT', () => {
  it('has gaps of a gamma of the shape 0.5, and its mean lengths', () => {
    const recipe = { ...RECIPES.burstgpt, rate: 4, requests: 30_000 };
    const read = generateTrace(recipe, [model('one', { promptRate: 1000, outputRate: 1e9 })]);
    near(variation(gapsOf(read.at)), Math.SQRT2, 0.1);
    near(mean(read.duration), 621, 0.05);
    const written = generateTrace(recipe, [model('one', { promptRate: 1e9, outputRate: 1000 })]);
    near(mean(written.duration), 126, 0.05);
  });
});

describe('arrivals that are dealt to people', () => {
  const models = (turns: number): Uint32Array =>
    generateTrace(
      { ...RECIPES.burstgpt, turns, pause: seconds(0), rate: 0.01, requests: 5000, zipf: 0 },
      table(20, { promptRate: 1e6, outputRate: 1e6 }),
    ).model;
  const repeats = (turns: number): number => {
    const asked = models(turns);
    return asked.filter((one, index) => one === asked[index - 1]).length / asked.length;
  };
  it('stay with a model for as many requests as are told, and with none for one', () => {
    near(repeats(10), 0.9, 0.03);
    assert.ok(repeats(1) < 0.1);
  });
});

it('a table that is too small is refused', () => {
  const [one] = [table(1)];
  assert.throws(() => generateTrace(RECIPES['ping-pong'], one), RangeError);
  assert.throws(() => generateTrace(RECIPES['chat-titles'], one), /there is no model m2/u);
  assert.throws(() => generateTrace(RECIPES.zipf, []), RangeError);
});
