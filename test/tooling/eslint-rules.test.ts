import assert from 'node:assert/strict';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ESLint } from 'eslint';
import { plants } from './support/lint-plants.ts';
import { makeTempTree, root } from './support/temp-tree.ts';
import type { Linter } from 'eslint';

/** Where each of our blocks applies and no later block of ours changes the rules that it sets. */
const places: ReadonlyMap<string, readonly string[]> = new Map([
  ['corral/no-default-insert', ['scripts/*.ts', 'test/*.ts', 'src/main-*.ts', 'src/edge/*.test.ts']],
  ['corral/all', ['scripts/*.ts']],
  ['corral/time-is-an-argument', ['src/backend/local/*.ts', 'src/api/*.ts']],
  ['corral/tables-of-names', ['src/activity/*.ts', 'src/routing/*.ts', 'src/control/*.ts', 'src/edge/*.ts']],
  ['corral/pure', ['src/domain/*.ts', 'src/planner/*.ts']],
  ['corral/kernels', ['src/edge/*-scan.ts']],
  ['corral/brands', ['src/domain/ids.ts', 'src/domain/units.ts']],
  ['corral/tests', ['src/edge/*.test.ts', 'test/*.test.ts']],
]);

/** Blocks for some of the files of another block: they must forbid all that the other forbids. */
const narrowing = [
  ['corral/time-is-an-argument', 'corral/no-default-insert'],
  ['corral/tables-of-names', 'corral/time-is-an-argument'],
  ['corral/pure', 'corral/tables-of-names'],
] as const;

/** Where every rule that some block switches off is on. */
const elsewhere = 'src/platform/*.ts';

/** What is fine where it stands. */
const accepted: readonly (readonly [file: string, code: string])[] = [
  [
    'src/platform/read-clock.ts',
    'export const f = (): number => performance.now() + Date.now() + new Date().getTime();',
  ],
  ['src/main-accepted.ts', 'export const f = (): number => performance.now();'],
  ['src/edge/accepted.test.ts', "import { it } from 'node:test';\nit('reads a clock', () => { Date.now(); });"],
  ['src/edge/accepted.ts', 'export const f = (t: ReadonlyMap<string, 1>): 1 | undefined => t.get("a");'],
  ['src/planner/accepted.ts', "import type { Preset } from '../domain/preset.ts';\nexport type P = Preset;"],
];

/** One rule of one block, and how its message is told. */
interface Expectation {
  readonly block: string;
  readonly key: string;
  readonly rule: string;
  readonly says: string;
  readonly off: boolean;
}

interface Planted extends Expectation {
  readonly file: string;
  readonly fires: boolean;
}

const config = await readConfig();
const expectations = config.flatMap(expectationsOf);
const planted = expectations.flatMap(plantedFor);

async function readConfig(): Promise<readonly Linter.Config[]> {
  const module = (await import(pathToFileURL(join(root, 'eslint.config.js')).href)) as { default: Linter.Config[] };
  // Blocks that `extends` makes carry a name of their own; the last test is about them.
  return module.default.filter(({ name }) => name?.startsWith('corral/') === true && !name.includes(' > '));
}

function expectationsOf(block: Linter.Config): readonly Expectation[] {
  const name = String(block.name);
  const rules = Object.entries(block.rules ?? {}).flatMap(([rule, setting]) => ruleExpectations(name, rule, setting));
  if (block.linterOptions?.reportUnusedDisableDirectives === undefined) return rules;
  const key = 'reportUnusedDisableDirectives';
  return [...rules, { block: name, key, rule: 'null', says: 'Unused eslint-disable directive', off: false }];
}

function ruleExpectations(block: string, rule: string, setting: unknown): readonly Expectation[] {
  const [level, ...options] = [setting].flat() as [string, ...unknown[]];
  const plain = { block, key: rule, rule, says: '', off: level === 'off' };
  const keyed = (key: string, says: string): Expectation => ({ ...plain, key: `${rule}: ${key}`, says });
  switch (rule) {
    case 'no-restricted-syntax':
      return (options as { message: string }[]).map(({ message }) => keyed(message, message));
    case 'no-restricted-properties':
      return (options as { object: string; property: string }[]).map(({ object, property }) =>
        keyed(`${object}.${property}`, `'${object}.${property}'`),
      );
    case 'no-restricted-globals':
      return (options as string[]).map((name) => keyed(name, `'${name}'`));
    default:
      return [plain];
  }
}

function plantedFor(expectation: Expectation, index: number): readonly Planted[] {
  const files = places.get(expectation.block);
  if (files === undefined) return [];
  const at = (pattern: string): string => pattern.replace('*', `planted-${index}`);
  const here = files.map((pattern) => ({ ...expectation, file: at(pattern), fires: !expectation.off }));
  if (!expectation.off || expectation.block === 'corral/all') return here;
  return [...here, { ...expectation, file: at(elsewhere), fires: true }];
}

const violates = (expected: Expectation, message: Linter.LintMessage): boolean =>
  message.severity === 2 && String(message.ruleId) === expected.rule && message.message.includes(expected.says);

describe('every rule that eslint.config.js sets', () => {
  const tree = makeTempTree();
  const messages = new Map<string, readonly Linter.LintMessage[]>();

  before(async () => {
    tree.copy('eslint.config.js', 'tsconfig.json', 'package.json', 'src/domain/brand.ts', 'src/domain/preset.ts');
    tree.linkModules();
    for (const { file, key } of planted) tree.write(file, `${plants.get(key)}\n`);
    for (const [file, code] of accepted) tree.write(file, `${code}\n`);
    const results = await new ESLint({ cwd: tree.path }).lintFiles(['src', 'test', 'scripts', 'eslint.config.js']);
    for (const result of results) messages.set(relative(tree.path, result.filePath), result.messages);
  });
  after(() => {
    tree.remove();
  });

  it('has a planted violation and a place where it is planted', () => {
    assert.ok(expectations.length > 50);
    const missing = expectations.filter(({ key, block }) => !plants.has(key) || !places.has(block));
    assert.deepEqual(
      missing.map(({ block, key }) => `${block}: ${key}`).filter((entry) => !entry.startsWith('corral/config')),
      [],
    );
  });

  it('is asked for by each planted violation, so that none can be dropped unseen', () => {
    const keys = new Set(expectations.map(({ key }) => key));
    assert.deepEqual(
      [...plants.keys()].filter((key) => !keys.has(key)),
      [],
    );
    const blocks = new Set(expectations.map(({ block }) => block));
    assert.deepEqual(
      [...places.keys()].filter((block) => !blocks.has(block)),
      [],
    );
  });

  for (const [narrower, wider] of narrowing) {
    it(`is in ${narrower} too where ${wider} restricts syntax, because a later block replaces an earlier one`, () => {
      const syntax = (block: string): readonly string[] =>
        expectations.filter((e) => e.block === block && e.rule === 'no-restricted-syntax').map(({ key }) => key);
      assert.ok(syntax(wider).length > 0);
      assert.deepEqual(
        syntax(wider).filter((key) => !syntax(narrower).includes(key)),
        [],
      );
    });
  }

  for (const plant of planted) {
    it(`${plant.block}: ${plant.key} ${plant.fires ? 'fires' : 'is off'} in ${plant.file}`, () => {
      const found = messages.get(plant.file);
      assert.ok(found !== undefined, 'the planted file was not linted');
      assert.deepEqual(
        found.filter((message) => message.fatal === true),
        [],
      );
      const fired = found.some((message) => violates(plant, message));
      assert.equal(fired, plant.fires, JSON.stringify(found.map(({ ruleId, message }) => [ruleId, message])));
    });
  }

  for (const [file] of accepted) {
    it(`accepts ${file}`, () => {
      assert.deepEqual(messages.get(file), []);
    });
  }

  it('can lint its own configuration, which has no types', () => {
    assert.deepEqual(messages.get('eslint.config.js'), []);
  });

  it('begins with the ban on default-insert look-ups', async () => {
    const module = (await import(pathToFileURL(join(root, 'eslint.config.js')).href)) as { default: Linter.Config[] };
    assert.equal(module.default[0]?.name, 'corral/no-default-insert');
  });
});
