import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { readMember } from '../../src/api/field-path.ts';
import { formatProblem } from '../../src/api/problem.ts';
import { withSimulateOptions } from '../../src/cli/simulate-options.ts';
import { findFormat } from '../../src/simulator/files/find-format.ts';
import { ModelTableSchema } from '../../src/simulator/files/model-table-schema.ts';
import { readModelTable } from '../../src/simulator/files/read-model-table.ts';
import { readTrace } from '../../src/simulator/files/read-trace.ts';
import { RECIPE_SCHEMAS } from '../../src/simulator/files/recipe-schema.ts';
import { FORMATS } from '../../src/simulator/files/trace-format.ts';
import { POLICIES } from '../../src/simulator/outcome.ts';
import { METRICS } from '../../src/simulator/report/metrics.ts';
import { blocksOf, codeIn, readText, root, rowsOf, sectionOf } from './support/markdown.ts';
import { flagRowsOf, rowOfOption } from './support/reference.ts';

const document = readText('docs/simulate.md');
const blocks = (language: string): string[] =>
  blocksOf(document).flatMap((block) => (block.language === language ? [block.text] : []));
const fieldsOf = (schema: unknown): string[] => Object.keys(readMember(schema, 'properties') ?? {});
const unquoted = (cell = ''): string => cell.replaceAll('`', '');

describe('docs/simulate.md', () => {
  it('has each flag of corral simulate, with its default, and no other', () => {
    const command = withSimulateOptions(new Command('simulate'));
    const options = [...command.options, command.createOption('-h, --help')];
    const known = ({ names, initial }: { names: string[]; initial: string }): unknown => ({ names, initial });
    assert.deepEqual(flagRowsOf(document).map(known), options.map(rowOfOption).map(known));
  });

  it('begins with a command that can be run as it stands', () => {
    const [command = ''] = blocks('sh');
    const [program, ...args] = command.trim().split(' ');
    assert.equal(program, 'corral');
    const { status, stdout, stderr } = spawnSync('bin/corral', args, { cwd: root, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    for (const policy of POLICIES) assert.match(stdout, new RegExp(`^\\| ${policy} `, 'mu'));
  });

  it('has a table of models and a trace that fit each other', async () => {
    const [[models = ''], [trace = '']] = [blocks('yaml'), blocks('csv')];
    const table = readModelTable(models, 'models.yaml');
    if (!table.ok) assert.fail(table.problems.map(formatProblem).join('\n'));
    async function* lines(): AsyncGenerator<readonly string[]> {
      yield await Promise.resolve(trace.trimEnd().split('\n'));
    }
    const options = { file: 't.csv', format: 'auto', models: table.value.models, spread: undefined } as const;
    const read = await readTrace(lines(), options);
    assert.ok(read.ok && read.value.trace.at.length === 3);
  });

  it('has each field of a table of models', () => {
    const rows = rowsOf(sectionOf(document, 'A table of models')).map(([field]) => unquoted(field));
    const { pool, models, defaults, ...others } = ModelTableSchema.properties;
    const ofModels = fieldsOf(models.items);
    const fields = [...fieldsOf(pool).map((field) => `pool.${field}`), ...Object.keys(others)];
    const expected = [...fields, ...ofModels.filter((field) => field !== 'count').map((field) => `models[].${field}`)];
    assert.deepEqual(rows.toSorted(), expected.toSorted());
    assert.deepEqual(
      fieldsOf(defaults),
      ofModels.filter((field) => !['name', 'count'].includes(field)),
    );
  });

  it('has each form of a trace with its columns', () => {
    const rows = rowsOf(sectionOf(document, 'A trace')).map((row) => row.map(unquoted));
    assert.deepEqual(
      rows.map(([name]) => name),
      [...FORMATS],
    );
    for (const [name, columns = ''] of rows) {
      const found = findFormat('t.csv', columns.split(','), 'auto');
      assert.ok(found.ok && found.value.name === name);
      assert.equal(found.value.columns.join(','), columns);
    }
  });

  it('has each generator with its fields', () => {
    const section = sectionOf(document, 'A recipe');
    const common = ['generator', 'seed', 'requests', 'rate', 'zipf'];
    for (const field of common) assert.ok(codeIn(section).has(field), field);
    const rows = rowsOf(section).map(([name, , fields = '']) => [unquoted(name), [...codeIn(fields)].sort()]);
    const expected = Object.entries(RECIPE_SCHEMAS).map(([name, schema]) => [
      name,
      fieldsOf(schema)
        .filter((field) => !common.includes(field))
        .sort(),
    ]);
    assert.deepEqual(rows, expected);
  });

  it('says what each policy does and what each figure means', () => {
    const section = sectionOf(document, 'Reading the report');
    assert.deepEqual(
      rowsOf(section).map(([name]) => unquoted(name)),
      [...POLICIES],
    );
    for (const { short } of METRICS) assert.ok(section.includes(short.replace(/^(p50|p95|p99) wait$/u, '$1')), short);
  });
});
