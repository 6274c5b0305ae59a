import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { POLICIES } from '../simulator/outcome.ts';
import { simulateCommand } from './simulate-command.ts';
import type { SimulateFlags } from './simulate-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'corral-simulate-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const models = put(
  'models.yaml',
  'pool: { maxLoaded: 1 }\ndefaults: { loadTime: 10s }\nmodels: [{ name: a }, { name: b }]\n',
);
// One room, two models: b waits for its load, and so does the first a; the last a has to load again.
const trace = put('requests.csv', 'time,model,duration\n0,a,1\n60,b,1\n120,a,1\n125,a,1\n');
const azure = put('azure.csv', 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n');
const recipe = put('recipe.yaml', '{ generator: burstgpt, seed: 1, requests: 50, rate: 1, turns: 2, pause: 1s }\n');

class Text extends Writable {
  text = '';
  override _write(chunk: unknown, _: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

async function run(flags: Partial<SimulateFlags>): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new Text(), new Text()];
  const code = await simulateCommand({ trace, models, format: 'auto', policy: [], ...flags }, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text.replaceAll(folder, '…') };
}

interface Printed {
  readonly scenario: string;
  readonly outcomes: readonly {
    readonly policy: string;
    readonly coldStarts: number;
    readonly wait?: { readonly max: number };
  }[];
}

describe('corral simulate', () => {
  it('prints a row for each policy', async () => {
    const { code, stdout, stderr } = await run({});
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^requests: 4 requests in 2.1 minutes, 2 models, 1 bin, 1 loaded at most$/mu);
    const rows = [...stdout.matchAll(/^\| ([a-z-]+) +\| +3 \|/gmu)].map(([, name]) => name);
    assert.deepEqual(rows, [...POLICIES]);
  });
  it('prints the same as JSON, for the policies that are asked for', async () => {
    const { code, stdout } = await run({ json: true, policy: ['llama-swap', 'corral'] });
    const { scenario, outcomes } = JSON.parse(stdout) as Printed;
    assert.deepEqual([code, scenario], [0, 'requests']);
    assert.deepEqual(
      outcomes.map(({ policy, coldStarts }) => [policy, coldStarts]),
      [
        ['llama-swap', 3],
        ['corral', 3],
      ],
    );
    // The load, and the stop of the other one before.
    assert.equal(outcomes[1]?.wait?.max, 11_000);
  });
  it('writes a report, as a page or as a drawing', async () => {
    for (const [name, beginning] of [
      ['report.html', '<!doctype html>'],
      ['report.svg', '<svg '],
    ] as const) {
      const report = join(folder, name);
      assert.equal((await run({ report })).code, 0);
      assert.ok(readFileSync(report, 'utf8').startsWith(beginning));
    }
  });
  it('makes the trace of a recipe', async () => {
    const { code, stdout } = await run({ trace: recipe });
    assert.equal(code, 0);
    assert.match(stdout, /^recipe: 50 requests /mu);
  });
  it('spreads a trace that names no models over the table', async () => {
    const { code, stdout } = await run({ trace: azure, spread: 1, seed: 3 });
    assert.equal(code, 0);
    assert.match(stdout, /^azure: 1 request /mu);
  });
  it('tells what it has left out', async () => {
    const text =
      'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n1,a,1,1,2,API log\n2,a,1,0,1,API log\n';
    const { code, stderr } = await run({ trace: put('burst.csv', text) });
    assert.deepEqual(
      [code, stderr],
      [0, 'corral simulate: …/burst.csv: requests left out: 1 that failed (no response tokens)\n'],
    );
  });
  it('has done its work where only the report cannot be written, and fails', async () => {
    const { code, stdout, stderr } = await run({ report: join(folder, 'nowhere', 'report.html') });
    assert.equal(code, 1);
    assert.match(stdout, /^\| corral /mu);
    assert.match(stderr, /^corral simulate: …\/nowhere\/report\.html: the report cannot be written: ENOENT/u);
  });

  const line = (text: string): string => `corral simulate: ${text}\n`;
  for (const [what, flags, said] of [
    ['a trace that does not exist', { trace: join(folder, 'none.csv') }, line('…/none.csv: there is no such file.')],
    ['a recipe that does not exist', { trace: join(folder, 'none.yaml') }, line('…/none.yaml: there is no such file.')],
    ['a folder for a trace', { trace: folder }, line('…: this is a folder, not a file.')],
    ['a table that does not exist', { models: join(folder, 'none.yaml') }, line('…/none.yaml: there is no such file.')],
    ['a table that is no text', { models: process.execPath }, line(`${process.execPath}: the file is not UTF-8 text.`)],
    [
      'a trace that names no models, without a spread',
      { trace: azure },
      line(
        "…/azure.csv: the trace does not say which model a request is for. Spread the requests over the models of the table by Zipf's law, for instance with --spread 1.",
      ),
    ],
    [
      'a spread of a recipe',
      { trace: recipe, spread: 1 },
      line('command line: --spread: a recipe says itself which models are asked for. Use its zipf.'),
    ],
    [
      'a seed for nothing',
      { seed: 2 },
      line('command line: --seed: without --spread nothing is left to chance. Leave it out.'),
    ],
    [
      'a CSV file as a recipe',
      { format: 'recipe' },
      /^corral simulate: …\/requests\.csv:1:1: must be an object, not "time,model/u,
    ],
    [
      'a recipe as a CSV file',
      { trace: recipe, format: 'corral' },
      /^corral simulate: …\/recipe\.yaml:1: there is no column time, nor/u,
    ],
  ] as const) {
    it(`refuses ${what}, and prints nothing else`, async () => {
      const { code, stdout, stderr } = await run(flags);
      assert.deepEqual([code, stdout], [2, '']);
      if (typeof said === 'string') assert.equal(stderr, said);
      else assert.match(stderr, said);
    });
  }

  it('is a command of corral', () => {
    const main = join(import.meta.dirname, '../main.ts');
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [main, 'simulate', ...args], { encoding: 'utf8' });
    const good = run('--trace', trace, '--models', models, '--policy', 'corral', '--json');
    assert.deepEqual([good.status, good.stderr], [0, '']);
    assert.equal((JSON.parse(good.stdout) as Printed).outcomes.length, 1);
    const wrong = run('--trace', trace, '--models', join(folder, 'none.yaml'));
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    const unknown = run('--trace', trace, '--models', models, '--policy', 'corrall');
    assert.deepEqual([unknown.status, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /There are corral, .*Did you mean corral\?/u);
  });
});
