import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cleanEnvironment, makeTempTree, root } from './support/temp-tree.ts';

/** A file that breaks one rule by what it imports. */
interface Plant {
  readonly rule: string;
  readonly file: string;
  readonly code: string;
}

const plant = (rule: string, file: string, code: string): Plant => ({ rule, file, code });

const plants: readonly Plant[] = [
  plant('domain-imports-nothing', 'src/domain/a1.ts', "import 'node:fs';"),
  plant('domain-imports-nothing', 'src/domain/a2.ts', "import '../routing/ok.ts';"),
  plant('domain-imports-nothing', 'src/domain/a3.ts', "await import('undici');"),
  plant('planner-sees-only-domain', 'src/planner/a1.ts', "import type { KubeConfig } from '@kubernetes/client-node';"),
  plant('planner-sees-only-domain', 'src/planner/a2.ts', "import 'node:fs';"),
  plant('planner-sees-only-domain', 'src/planner/a3.ts', "import type {} from '../activity/ok.ts';"),
  plant('routing-is-pure', 'src/routing/a1.ts', "import '../planner/ok.ts';"),
  plant('activity-is-pure', 'src/activity/a1.ts', "import '../platform/ok.ts';"),
  plant('simulator-sees-planner-and-activity', 'src/simulator/a1.ts', "import '../control/ok.ts';"),
  plant('simulator-sees-planner-and-activity', 'src/simulator/traces/a1.ts', "import '../../backend/backend.ts';"),
  plant('api-sees-only-domain', 'src/api/a1.ts', "import '../platform/ok.ts';"),
  plant('api-sees-only-domain', 'src/api/a13.ts', "import type {} from '../routing/ok.ts';"),
  plant('cluster-api-sees-domain-and-routing', 'src/api/cluster/a1.ts', "import '../../kube/ok.ts';"),
  plant('platform-sees-only-domain', 'src/platform/a1.ts', "import '../api/ok.ts';"),
  plant('admin-sees-platform-and-domain', 'src/admin/a1.ts', "import '../edge/ok.ts';"),
  plant('edge-sees-no-control', 'src/edge/a1.ts', "import '../control/ok.ts';"),
  plant('edge-sees-no-control', 'src/edge/a2.ts', "import 'yaml';"),
  plant('edge-takes-platform-as-types', 'src/edge/a3.ts', "import '../platform/ok.ts';"),
  plant('control-sees-the-port-only', 'src/control/a1.ts', "import '../backend/local/ok.ts';"),
  plant('control-sees-the-port-only', 'src/control/a2.ts', "import '../edge/ok.ts';"),
  plant('control-sees-the-port-only', 'src/control/a3.ts', "import '../api/ok.ts';"),
  plant('backends-only-obey', 'src/backend/local/a1.ts', "import '../../planner/ok.ts';"),
  plant('backends-only-obey', 'src/backend/local/a2.ts', "import '../../activity/ok.ts';"),
  plant('backends-are-strangers', 'src/backend/kubernetes/a1.ts', "import '../local/ok.ts';"),
  plant('kube-knows-no-corral', 'src/kube/a1.ts', "import '../api/ok.ts';"),
  plant('local-backend-knows-no-cluster', 'src/backend/local/a3.ts', "import '../../kube/ok.ts';"),
  plant('local-backend-knows-no-cluster', 'src/backend/local/a4.ts', "import '../../api/cluster/ok.ts';"),
  plant('cluster-edge-decides-nothing', 'src/cluster-edge/a1.ts', "import '../planner/ok.ts';"),
  plant('cluster-edge-decides-nothing', 'src/cluster-edge/a2.ts', "import '../control/ok.ts';"),
  plant('cluster-edge-decides-nothing', 'src/cluster-edge/a3.ts', "import '../backend/backend.ts';"),
  plant('operator-sees-no-data-path', 'src/operator/a1.ts', "import '../edge/ok.ts';"),
  plant('operator-sees-no-data-path', 'src/operator/a2.ts', "import '../backend/local/ok.ts';"),
  plant('nobody-uses-client-node', 'src/kube/a2.ts', "import '@kubernetes/client-node';"),
  plant('nobody-uses-client-node', 'src/main-a2.ts', "import type {} from '@kubernetes/client-node';"),
  plant('only-local-backend-spawns', 'src/api/a3.ts', "import 'node:child_process';"),
  plant('only-local-backend-spawns', 'src/backend/kubernetes/a2.ts', "import 'child_process';"),
  plant('only-platform-measures', 'src/admin/a2.ts', "import 'prom-client';"),
  plant('nobody-imports-main', 'src/api/a4.ts', "import '../main-ok.ts';"),
  plant('nobody-imports-main', 'test/a1.ts', "await import('../src/main.ts');"),
  plant('only-wiring-imports-cli', 'src/platform/a4.ts', "import type {} from '../cli/ok.ts';"),
  plant('subcommands-are-dynamic-imports', 'src/main.ts', "import './main-a2.ts';\nawait import('./main-ok.ts');"),
  plant('no-test-code-in-product', 'src/api/a5.ts', "import './ok.test.ts';"),
  plant('no-test-code-in-product', 'src/api/a6.ts', "import '../../scripts/ok.ts';"),
  plant('no-test-code-in-product', 'src/main-a3.ts', "import './testing/ok.ts';"),
  plant('no-circular', 'src/api/a7.ts', "import './round.ts';"),
  plant('no-orphans', 'src/api/a9.ts', 'export const alone = 1;'),
  plant('no-unresolvable', 'src/api/a10.ts', "import './nowhere.ts';"),
  plant('no-undeclared-packages', 'src/api/a11.ts', "import 'undeclared';"),
  plant('no-package-without-a-reason-in-product', 'src/api/a12.ts', "import 'fast-check';"),
  plant('no-package-without-a-reason-in-product', 'src/api/a14.ts', "import 'unreasoned';"),
];

/** Files that break nothing. */
const accepted: ReadonlyMap<string, string> = new Map([
  ['src/domain/ok.ts', "import type {} from './more.ts';"],
  ['src/domain/more.ts', 'export {};'],
  ['src/domain/ok.test.ts', "import 'node:test';\nimport 'fast-check';"],
  ['src/planner/ok.ts', "import '../domain/ok.ts';"],
  ['src/planner/action.ts', "import '../domain/ok.ts';"],
  ['src/routing/ok.ts', "import '../domain/ok.ts';"],
  ['src/activity/ok.ts', "import '../domain/ok.ts';"],
  [
    'src/simulator/ok.ts',
    "import '../planner/ok.ts';\nimport '../activity/ok.ts';\nimport '../api/ok.ts';\nimport '../domain/ok.ts';",
  ],
  ['src/api/ok.ts', "import 'yaml';\nimport 'yaml/part';\nimport 'node:fs';\nimport '../domain/ok.ts';"],
  ['src/api/ok.test.ts', "import 'node:child_process';\nimport '../../test/ok.ts';"],
  // The cycle is told of where it is entered first.
  ['src/api/round.ts', "import './a7.ts';"],
  ['src/platform/ok.ts', "import '../domain/ok.ts';"],
  ['src/edge/ok.ts', "import 'node:http';\nimport type {} from '../platform/ok.ts';\nimport '../routing/ok.ts';"],
  ['src/control/ok.ts', "import '../backend/backend.ts';\nimport '../planner/ok.ts';\nimport '../platform/ok.ts';"],
  ['src/backend/backend.ts', "import '../planner/action.ts';"],
  ['src/backend/local/ok.ts', "import 'node:child_process';\nimport '../backend.ts';\nimport '../../api/ok.ts';"],
  ['src/kube/ok.ts', "import 'undici';\nimport '../platform/ok.ts';"],
  ['src/api/cluster/ok.ts', "import '../../domain/ok.ts';\nimport type {} from '../../routing/ok.ts';"],
  [
    'src/backend/kubernetes/ok.ts',
    "import '../backend.ts';\nimport '../../kube/ok.ts';\nimport '../../api/cluster/ok.ts';",
  ],
  ['src/cluster-edge/ok.ts', "import '../edge/ok.ts';\nimport '../kube/ok.ts';\nimport '../api/cluster/ok.ts';"],
  ['src/operator/ok.ts', "import '../control/ok.ts';\nimport '../backend/kubernetes/ok.ts';\nimport '../kube/ok.ts';"],
  ['src/testing/ok.ts', "import 'fast-check';\nimport '../planner/ok.ts';"],
  ['src/cli/ok.ts', "import 'commander';\nimport '../control/ok.ts';\nimport './more.ts';"],
  ['src/cli/more.ts', "import '../domain/ok.ts';"],
  [
    'src/main-ok.ts',
    "import './cli/ok.ts';\nimport './edge/ok.ts';\nimport './control/ok.ts';\nimport './backend/local/ok.ts';",
  ],
  ['scripts/ok.ts', "import 'node:child_process';\nimport '../src/api/ok.ts';"],
  ['test/ok.ts', "import 'openai';\nimport '../src/edge/ok.ts';"],
]);

/** The packages whose importers are restricted; a later version installs them. */
const restricted = ['prom-client', '@kubernetes/client-node'];
/** Installed for development, as all of ours are, and part of the program. */
const reasoned = ['undici', 'yaml', 'commander'];
const declared = ['unreasoned'];
const development = ['fast-check', 'openai', ...reasoned];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string; readonly severity: string };
}

const rules = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
  readonly forbidden: readonly { readonly name: string }[];
};

/** Cruises a tree of all plants with these packages installed and declared. */
function cruise(installed: readonly string[]): readonly Violation[] {
  const tree = makeTempTree();
  try {
    tree.copy('.dependency-cruiser.cjs', 'tsconfig.json', 'docs/decisions/0002-dependencies.md');
    const versions = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, '1.0.0']));
    const dependencies = versions([...declared, ...installed]);
    tree.write(
      'package.json',
      JSON.stringify({ type: 'module', dependencies, devDependencies: versions(development) }),
    );
    const exports = { '.': { import: './index.js' }, './part': { import: './index.js' } };
    for (const name of [...declared, ...development, ...installed, 'undeclared']) {
      tree.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', exports }));
      tree.write(`node_modules/${name}/index.js`, 'module.exports = {};');
    }
    for (const { file, code } of plants) tree.write(file, code);
    for (const [file, code] of accepted) tree.write(file, code);
    return runCruiser(tree.path);
  } finally {
    tree.remove();
  }
}

function runCruiser(cwd: string): readonly Violation[] {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src', 'test', 'scripts'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: cleanEnvironment() });
  assert.notEqual(stdout, '', stderr);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

describe('the rules of direction', () => {
  it('each have a planted violation', () => {
    const names = rules.forbidden.map((rule) => rule.name);
    assert.deepEqual([...new Set(plants.map(({ rule }) => rule))].sort(), [...names].sort());
  });

  for (const [situation, installed] of [
    ['not installed', []],
    ['installed', restricted],
  ] as const) {
    describe(`with the restricted packages ${situation}`, () => {
      let violations: readonly Violation[] = [];
      before(() => {
        violations = cruise(installed);
      });
      after(() => {
        violations = [];
      });

      for (const { rule, file } of plants) {
        it(`${rule} fires for ${file}`, () => {
          const fired = violations
            .filter(({ from, rule: { severity } }) => from === file && severity === 'error')
            .map((violation) => violation.rule.name);
          assert.ok(fired.includes(rule), `fired: ${fired.join(', ')}`);
        });
      }

      it('say nothing about files that keep to them', () => {
        assert.deepEqual(
          violations.filter(({ from }) => accepted.has(from)),
          [],
        );
      });
    });
  }
});
