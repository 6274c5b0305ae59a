import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem } from '../../api/problem.ts';
import { NO_RESOURCES } from '../../domain/resources.ts';
import { seconds } from '../../domain/units.ts';
import type { TableModel } from '../traces/table-model.ts';
import { readTrace } from './read-trace.ts';
import type { TraceOptions, TraceRead } from './trace-options.ts';

const model = (name: string): TableModel => ({
  name,
  loadTime: seconds(5),
  stopTime: seconds(1),
  idleTimeout: seconds(0),
  footprint: NO_RESOURCES,
  ...{ priority: 0, minReplicas: 0, maxReplicas: 1, targetInFlight: 4, promptRate: 1000, outputRate: 10 },
});
const models = ['qwen', 'llama', 'ChatGPT', 'GPT-4'].map(model);

const read = async (text: string, options: Partial<TraceOptions> = {}) =>
  readTrace(batchesOf(text), { file: 't.csv', format: 'auto', models, spread: undefined, ...options });

/** Line by line, the hardest way to get them. */
async function* batchesOf(text: string): AsyncGenerator<readonly string[]> {
  for (const line of text === '' ? [] : text.split('\n')) yield await Promise.resolve([line]);
}

async function good(text: string, options: Partial<TraceOptions> = {}): Promise<TraceRead & { rows: unknown[] }> {
  const result = await read(text, options);
  if (!result.ok) assert.fail(result.problems.map(formatProblem).join('\n'));
  const { at, model: asked, duration } = result.value.trace;
  return { ...result.value, rows: Array.from(at, (time, index) => [time, asked[index], duration[index]]) };
}

async function bad(text: string, options: Partial<TraceOptions> = {}): Promise<string[]> {
  const result = await read(text, options);
  assert.ok(!result.ok, 'it is refused');
  return result.problems.map(formatProblem);
}

describe("Corral's own form", () => {
  it('is read in seconds, counted from the first request', async () => {
    const { rows } = await good('time,model,duration\n10, llama,1.5\n10,qwen,0\n12.25,llama,3\n');
    assert.deepEqual(rows, [
      [0, 1, 1500],
      [0, 0, 0],
      [2250, 1, 3000],
    ]);
  });
  it('has its columns in any order, and others beside them', async () => {
    assert.deepEqual((await good('model, user,duration,time\nqwen, me, 2,0')).rows, [[0, 0, 2000]]);
  });
});

describe('the form of the Azure LLM inference traces', () => {
  const text = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 23:59:59.6805900,374,44
2023-11-17 00:00:00.0000000,1000,1
2024-05-10 00:00:00.009930+00:00,1,1`;
  it('is read to parts of a millisecond, over midnight, and lasts as long as its tokens take', async () => {
    const { rows } = await good(text, { models: [model('one')], spread: { exponent: 1, seed: 1 } });
    const [first, second, third] = rows as [number, number, number][];
    assert.deepEqual(first, [0, 0, 374 + 4400]);
    assert.ok(Math.abs(Number(second?.[0]) - 319.41) < 0.001);
    assert.deepEqual(second?.slice(1), [0, 1100]);
    assert.ok(Math.abs(Number(third?.[0]) - (175 * 86_400_000 + 319.41 + 9.93)) < 0.001);
  });
  it('does not say which model is meant: without a spread it is refused', async () => {
    assert.deepEqual(await bad(text), [
      "t.csv: the trace does not say which model a request is for. Spread the requests over the models of the table by Zipf's law, for instance with --spread 1.",
    ]);
  });
  it('is spread the same way for the same seed', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => `2023-11-16 18:15:${10 + Math.floor(index / 4)},1,1`);
    const long = ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows].join('\n');
    const asked = async (exponent: number, seed: number) =>
      (await good(long, { spread: { exponent, seed } })).trace.model;
    assert.deepEqual(await asked(1, 1), await asked(1, 1));
    assert.notDeepEqual(await asked(1, 1), await asked(1, 2));
    const steep = await asked(5, 1);
    assert.ok(steep.filter((one) => one === 0).length > 180);
  });
});

describe('the form of BurstGPT', () => {
  it('is read, without the requests that have failed', async () => {
    const text = `Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
5,ChatGPT,472,18,490,Conversation log
45,ChatGPT,1087,0,1087,Conversation log
118,GPT-4,417,276,693,API log`;
    const { rows, notes } = await good(text);
    assert.deepEqual(rows, [
      [0, 2, 2272],
      [113_000, 3, 28_017],
    ]);
    assert.deepEqual(notes, ['requests left out: 1 that failed (no response tokens)']);
  });
  it('may have the columns of its later files', async () => {
    const text = `Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
0.5,a1,3,GPT-4,10,1,11,Conversation log`;
    assert.deepEqual((await good(text)).rows, [[0, 3, 110]]);
  });
});

describe('a trace that cannot be read', () => {
  const head = 'time,model,duration\n';
  for (const [what, text, ...said] of [
    ['is empty', '', 't.csv: the file is empty.'],
    ['has no requests', head, 't.csv: there are no requests.'],
    [
      'has other columns',
      'when,what\n1,2',
      't.csv:1: these are no columns of a trace: when,what. The first line must name time,model,duration, or TIMESTAMP,ContextTokens,GeneratedTokens, or Timestamp,Model,Request tokens,Response tokens.',
    ],
    ['has a negative time', `${head}-1,qwen,1`, "t.csv:2:1: time: must be a number of seconds from 0 on, not '-1'."],
    ['has no number', `${head}1,qwen,soon`, "t.csv:2:8: duration: must be a number of seconds from 0 on, not 'soon'."],
    ['has an empty cell', `${head}1,qwen,`, "t.csv:2:8: duration: must be a number of seconds from 0 on, not ''."],
    ['has no end', `${head}1,qwen,1e999`, "t.csv:2:8: duration: must be a number of seconds from 0 on, not '1e999'."],
    [
      'is not sorted',
      `${head}2,qwen,1\n1.5,qwen,1`,
      't.csv:3:1: time: this is earlier than the row before. Sort the rows by time.',
    ],
    ['lacks a cell', `${head}1,qwen`, 't.csv:2: the row has 2 columns, and the first line 3.'],
    [
      'asks for models that are not in the table, each of which is told once',
      `${head}1,lama,1\n2,lama,1\n3,nobody,1\n4,toString,1`,
      't.csv:2:3: model: there is no model lama in the table of models. Did you mean llama?',
      't.csv:4:3: model: there is no model nobody in the table of models.',
      't.csv:5:3: model: there is no model toString in the table of models.',
    ],
  ] as const) {
    it(`${what}: it says where, why and what to do`, async () => {
      assert.deepEqual(await bad(text), said);
    });
  }
  it('has a time that is none', async () => {
    const spread = { exponent: 1, seed: 1 };
    for (const time of ['yesterday', '2023-13-01 00:00:00', '2023-11-16', '1700000000']) {
      const [said] = await bad(`TIMESTAMP,ContextTokens,GeneratedTokens\n${time},1,1`, { spread });
      assert.equal(said, `t.csv:2:1: TIMESTAMP: must be a time such as 2023-11-16 18:15:46.6805900, not '${time}'.`);
    }
  });
  it('is not of the form that was asked for', async () => {
    assert.deepEqual(await bad(`${head}1,qwen,1`, { format: 'burstgpt' }), [
      't.csv:1: there is no column Timestamp, nor Model, nor Request tokens, nor Response tokens in the first line. The form burstgpt has the columns Timestamp,Model,Request tokens,Response tokens.',
    ]);
  });
  it('is wrong from top to bottom: it says no more than helps', async () => {
    assert.equal((await bad(`${head}${'x,qwen,1\n'.repeat(50)}`)).length, 10);
  });
});
