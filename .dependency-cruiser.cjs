const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Packages that may become part of the program, by the lines with their reasons. All of them are installed for development only. */
const reasons = readFileSync(join(__dirname, 'docs/decisions/0002-dependencies.md'), 'utf8');
const withReason = [...reasons.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);

/** Product code: src without its tests and what stands in for things in tests. */
const product = '^src/(?!testing/|.*\\.test\\.ts$)';
/** Product code of one folder of src. */
const codeOf = (folder) => `^src/${folder}/(?!.*\\.test\\.ts$)`;
/** A package by name, whether it is installed (a path below node_modules) or not (the bare name). */
const packageNamed = (name) => `(^|node_modules/)${name}(/|$)`;
/** Node's own modules. */
const builtin = { dependencyTypesNot: ['core'] };

/** `folder` sees these files and packages and nothing else; `to` may except kinds of imports. */
const seesOnly = (name, folder, allowed, to = {}) => ({
  name,
  severity: 'error',
  from: { path: codeOf(folder) },
  to: { pathNot: allowed, ...to },
});

/** Of src, `folder` sees only these parts; which packages it may use is for other rules. */
const seesOfSrcOnly = (name, folder, allowed) => ({
  name,
  severity: 'error',
  from: { path: codeOf(folder) },
  to: { path: '^src/', pathNot: allowed },
});

/** Only these files may import a package or built-in module. */
const only = (name, allowed, path) => ({
  name,
  severity: 'error',
  from: { path: product, pathNot: allowed },
  to: { path },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    // The direction of the layers.
    seesOnly('domain-imports-nothing', 'domain', ['^src/domain/']),
    seesOnly('planner-sees-only-domain', 'planner', ['^src/(planner|domain)/']),
    seesOnly('routing-is-pure', 'routing', ['^src/(routing|domain)/']),
    seesOnly('activity-is-pure', 'activity', ['^src/(activity|domain)/']),
    // Its files are read by the pure parsers of the API.
    seesOfSrcOnly('simulator-sees-planner-and-activity', 'simulator', [
      '^src/(simulator|planner|activity|api(?!/cluster)|domain)/',
    ]),
    seesOfSrcOnly('api-sees-only-domain', 'api(?!/cluster/)', ['^src/(api|domain)/']),
    // Statuses carry to the edges what a route table needs to know.
    seesOfSrcOnly('cluster-api-sees-domain-and-routing', 'api/cluster', ['^src/(api|routing|domain)/']),
    seesOfSrcOnly('platform-sees-only-domain', 'platform', ['^src/(platform|domain)/']),
    seesOfSrcOnly('admin-sees-platform-and-domain', 'admin', ['^src/(admin|platform|domain)/']),
    seesOnly('edge-sees-no-control', 'edge', ['^src/(edge|routing|activity|domain|platform)/'], builtin),
    {
      // What it needs of clock and log at run time it is given.
      name: 'edge-takes-platform-as-types',
      severity: 'error',
      from: { path: codeOf('edge') },
      to: { path: '^src/platform/', dependencyTypesNot: ['type-only'] },
    },
    seesOnly(
      'control-sees-the-port-only',
      'control',
      ['^src/(control|planner|routing|activity|domain|platform)/', '^src/backend/backend\\.ts$'],
      builtin,
    ),
    seesOfSrcOnly('kube-knows-no-corral', 'kube', ['^src/(kube|platform|domain)/']),
    seesOfSrcOnly('backends-only-obey', 'backend', [
      '^src/(backend|kube|api|domain|platform)/',
      '^src/planner/action\\.ts$',
    ]),
    seesOfSrcOnly('local-backend-knows-no-cluster', 'backend/local', [
      '^src/(backend|api(?!/cluster)|domain|platform|planner)/',
    ]),
    seesOfSrcOnly('cluster-edge-decides-nothing', 'cluster-edge', [
      '^src/(cluster-edge|edge|kube|api|activity|routing|domain|platform)/',
    ]),
    seesOfSrcOnly('operator-sees-no-data-path', 'operator', [
      '^src/(operator|kube|api|backend/kubernetes|control|activity|routing|domain|platform)/',
      '^src/backend/backend\\.ts$',
    ]),
    {
      name: 'backends-are-strangers',
      severity: 'error',
      from: { path: '^src/backend/([^/]+)/' },
      to: { path: '^src/backend/[^/]+/', pathNot: '^src/backend/$1/' },
    },

    // Who may use what from outside.
    {
      // See docs/decisions/0007: src/kube is the only client of an API server.
      name: 'nobody-uses-client-node',
      severity: 'error',
      from: {},
      to: { path: packageNamed('@kubernetes') },
    },
    only('only-local-backend-spawns', '^src/backend/local/', '^(node:)?child_process$'),
    only('only-platform-measures', '^src/platform/', packageNamed('prom-client')),

    // Wiring.
    { name: 'nobody-imports-main', severity: 'error', from: { pathNot: '^src/main\\.ts$' }, to: { path: '^src/main' } },
    {
      name: 'only-wiring-imports-cli',
      severity: 'error',
      from: { path: product, pathNot: '^src/(main|cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      // A subcommand costs only the start of what it uses.
      name: 'subcommands-are-dynamic-imports',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/main-', dynamic: false },
    },
    {
      name: 'no-test-code-in-product',
      severity: 'error',
      from: { path: product },
      to: { path: '\\.test\\.ts$|^(src/testing|test|scripts)/' },
    },

    // Hygiene.
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['\\.test\\.ts$', '^src/main'] },
      to: {},
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-package-without-a-reason-in-product',
      severity: 'error',
      from: { path: product },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'],
        dependencyTypesNot: ['type-only'],
        pathNot: withReason.map(packageNamed),
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // As Node resolves an import: some packages export nothing to require().
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'default', 'types'] },
  },
};
