import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatProblem } from '../../api/problem.ts';
import type { ModelTable } from '../traces/table-model.ts';
import { readModelTable } from './read-model-table.ts';

function good(text: string): ModelTable {
  const table = readModelTable(text, 'm.yaml');
  if (!table.ok) assert.fail(table.problems.map(formatProblem).join('\n'));
  return table.value;
}

function bad(text: string): string[] {
  const table = readModelTable(text, 'm.yaml');
  assert.ok(!table.ok, 'it is refused');
  return table.problems.map(formatProblem);
}

describe('a table of models', () => {
  it('says what it says, and what the defaults say where it does not', () => {
    const { pool, models, maxWait } = good(`
pool:
  maxLoaded: 3
  bins: [{ count: 2, size: { vram: 1Ki, gpu: 1 } }, { size: { vram: 10 } }]
  minResidency: 5s
  fairAfter: 1m
maxWait: 90s
defaults: { loadTime: 10s, stopTime: 2s, footprint: { vram: 1 }, priority: 2, outputRate: 7 }
models:
  - { name: a, loadTime: 1s, footprint: { gpu: 500m }, idleTimeout: 3s, minReplicas: 1, maxReplicas: 2, targetInFlight: 9, promptRate: 5 }
  - { name: b, count: 2 }
`);
    assert.deepEqual([pool.maxLoaded, pool.minResidency, pool.fairAfter, maxWait], [3, 5000, 60_000, 90_000]);
    assert.deepEqual(
      pool.bins.map(({ name, size }) => [name, [...(size ?? [])]]),
      [
        [
          'bin-1',
          [
            ['vram', 1_024_000],
            ['gpu', 1000],
          ],
        ],
        [
          'bin-2',
          [
            ['vram', 1_024_000],
            ['gpu', 1000],
          ],
        ],
        ['bin-3', [['vram', 10_000]]],
      ],
    );
    assert.deepEqual(models, [
      {
        name: 'a',
        ...{ loadTime: 1000, stopTime: 2000, idleTimeout: 3000, footprint: new Map([['gpu', 500]]), priority: 2 },
        ...{ minReplicas: 1, maxReplicas: 2, targetInFlight: 9, promptRate: 5, outputRate: 7 },
      },
      ...['b-1', 'b-2'].map((name) => ({
        name,
        ...{ loadTime: 10_000, stopTime: 2000, idleTimeout: 0, footprint: new Map([['vram', 1000]]), priority: 2 },
        ...{ minReplicas: 0, maxReplicas: 1, targetInFlight: 4, promptRate: 2000, outputRate: 7 },
      })),
    ]);
  });
  it('may count replicas only', () => {
    const { pool, models, maxWait } = good('pool: { maxLoaded: 1 }\nmodels: [{ name: a, loadTime: 1s }]');
    assert.deepEqual([pool.bins.length, pool.fairAfter, pool.minResidency, maxWait], [1, 30_000, 0, 600_000]);
    assert.deepEqual(models[0]?.footprint, new Map());
  });
});

describe('a table of models that is wrong', () => {
  const head = 'pool: { bins: [{ size: { gpu: 1 } }] }\n';
  for (const [what, text, ...said] of [
    ['says nothing', '', 'm.yaml: the file says nothing.'],
    ['is no YAML', 'pool: [', /^m\.yaml:1:8: /u],
    ['has two documents', `${head}---\n${head}`, /^m\.yaml:3:1: there is more than one document\.$/u],
    ['is a list', '[]', /must be an object/u],
    [
      'has a field that does not exist',
      `${head}models: [{ name: a }]\nmodel: []`,
      /^m\.yaml:3:1: model: there is no such field\. Did you mean models\?$/u,
    ],
    ['has no models', `${head}models: []`, 'm.yaml:2:9: models: there are no models.'],
    [
      'has no limit',
      'pool: {}\nmodels: [{ name: a, loadTime: 1s }]',
      'm.yaml:1:7: pool: there is neither maxLoaded nor a bin, so that everything is loaded at once. Say what fits.',
    ],
    [
      'does not say how long a model loads',
      `${head}models:\n  - { name: a, footprint: { gpu: 1 } }`,
      'm.yaml:3:5: models[0]: a has no loadTime, and neither have the defaults.',
    ],
    [
      'does not say what a model takes of what is counted',
      `${head}models:\n  - { name: a, loadTime: 1s }`,
      'm.yaml:3:5: models[0]: a has no footprint, and neither have the defaults.',
    ],
    [
      'has a model that fits nowhere',
      `${head}models:\n  - { name: a, loadTime: 1s, footprint: { vram: 1 } }`,
      'm.yaml:3:5: models[0]: a fits into no bin, however empty. Make a bin larger, or the footprint smaller.',
    ],
    [
      'has two models of one name',
      'pool: { maxLoaded: 1 }\ndefaults: { loadTime: 1s }\nmodels:\n  - { name: a, count: 2 }\n  - { name: a-2 }',
      'm.yaml:5:13: models[1].name: there is a model a-2 already.',
    ],
    [
      'has a name that no client can send',
      'pool: { maxLoaded: 1 }\nmodels: [{ name: "a,b", loadTime: 1s }]',
      /a model name must not hold a comma/u,
    ],
    [
      'has more replicas at least than at most',
      'pool: { maxLoaded: 1 }\nmodels: [{ name: a, loadTime: 1s, minReplicas: 2 }]',
      /a has more minReplicas \(2\) than maxReplicas \(1\)/u,
    ],
    [
      'has a negative time',
      `${head}models: [{ name: a, loadTime: -1s }]`,
      /^m\.yaml:2:31: models\[0\]\.loadTime: must be a duration/u,
    ],
    ['has a load of no time', `${head}models: [{ name: a, loadTime: 0s }]`, /loadTime: must be longer than 0s/u],
    [
      'has a negative size',
      'pool: { bins: [{ size: { gpu: -1 } }] }\nmodels: []',
      /size\.gpu: must be a whole number, or a quantity/u,
    ],
    [
      'has a rate of nothing',
      `${head}models: [{ name: a, loadTime: 1s, outputRate: 0 }]`,
      /outputRate: must be a number from 0\.001/u,
    ],
  ] as const) {
    it(`${what}: it says where, why and what to do`, () => {
      const problems = bad(text);
      for (const [index, expected] of said.entries()) {
        if (typeof expected === 'string') assert.equal(problems[index], expected);
        else assert.match(String(problems[index]), expected);
      }
    });
  }
});
