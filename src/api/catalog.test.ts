import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetUid } from '../domain/ids.ts';
import type { Catalog, Preset } from '../domain/preset.ts';
import { seconds } from '../domain/units.ts';
import { type CatalogResult, buildCatalog } from './catalog.ts';
import { parseArgv } from './parse-argv.ts';
import type { CatalogSettings } from './preset-draft.ts';
import { formatProblem } from './problem.ts';
import type { Sources } from './read-sources.ts';

interface Given {
  readonly ini?: string;
  readonly dir?: readonly string[];
  readonly manifests?: readonly string[];
  readonly args?: string;
  readonly previous?: Catalog;
  readonly settings?: Partial<CatalogSettings>;
}

function sourcesOf({ ini, dir, manifests = [] }: Given): Sources {
  const models = (dir ?? []).map((name) => ({ name, model: `/d/${name}.gguf` }));
  return {
    modelsDir: dir === undefined ? undefined : { dir: '/d', models, withoutEffect: [], problems: [] },
    presets: ini === undefined ? undefined : { file: 'm.ini', text: ini },
    manifests: manifests.map((text, index) => ({ file: `${index}.yaml`, text })),
    problems: [],
  };
}

let uids = 0;

function build(given: Given): CatalogResult {
  const { options } = parseArgv(given.args?.split(' ') ?? [], []);
  const settings = { args: options, idleTimeout: seconds(60), autoload: true, maxLoaded: 4, ...given.settings };
  const input = { sources: sourcesOf(given), settings, previous: given.previous };
  return buildCatalog(input, () => presetUid(`uid-${++uids}`));
}

function catalogOf(given: Given): Catalog {
  const result = build(given);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
  return result.catalog;
}

function problemsOf(given: Given): string[] {
  const result = build(given);
  return result.ok ? [] : result.problems.map(formatProblem);
}

function only(catalog: Catalog): Preset {
  const [preset, ...more] = catalog.presets;
  assert.ok(preset !== undefined && more.length === 0);
  return preset;
}

const object = (name: string, presets: string, more = ''): string =>
  `apiVersion: corral.dev/v1alpha1\nkind: ModelDeployment\nmetadata: { name: ${name} }\nspec:\n  presets: [${presets}]\n${more}`;
const pool = (name: string, spec: string): string =>
  `apiVersion: corral.dev/v1alpha1\nkind: ModelPool\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

test('a model of the folder is a preset with the defaults of the flags', () => {
  const { pools, presets } = catalogOf({ dir: ['a'] });
  assert.deepEqual(pools, [{ name: 'default', maxLoaded: 4, paused: false, minResidency: 0, fairAfter: 30_000 }]);
  const [{ uid, rendered, serves, ...preset } = assert.fail()] = presets;
  assert.match(uid, /^uid-/u);
  for (const hash of [rendered, serves]) assert.match(hash, /^[0-9a-f]{64}$/u);
  assert.deepEqual(preset, {
    model: 'a',
    aliases: [],
    tags: [],
    pool: 'default',
    launch: { args: ['--model', '/d/a.gguf'], env: new Map(), stopTimeout: 5000 },
    scaling: { minReplicas: 0, idleTimeout: 60_000, loadTimeout: 600_000, autoload: true, loadOnStartup: false },
    queue: { maxWaiting: 256, maxWait: 600_000 },
    origin: { kind: 'models_dir', file: '/d/a.gguf' },
  });
});

test('the command line wins over a section, a section over [*], and a model of the folder keeps its file', () => {
  const { presets } = catalogOf({
    dir: ['a', 'b'],
    ini: '[*]\nc = 1\nb = 1\nt = 1\nmodel = /star.gguf\n[a]\nbatch-size = 2\nthreads = 2\nalias = x\nidle-timeout = 5\n[s]\n',
    args: '--threads 3',
  });
  assert.deepEqual(
    presets.map(({ model, aliases, origin, launch }) => [model, aliases, origin.kind, launch.args.join(' ')]),
    [
      ['a', ['x'], 'preset', '--ctx-size 1 --model /d/a.gguf --batch-size 2 --threads 3'],
      ['s', [], 'preset', '--ctx-size 1 --batch-size 1 --model /star.gguf --threads 3'],
      ['b', [], 'models_dir', '--ctx-size 1 --batch-size 1 --model /d/b.gguf --threads 3'],
    ],
  );
  assert.deepEqual(
    presets.map(({ scaling }) => scaling.idleTimeout),
    [5000, 60_000, 60_000],
  );
});

test('a section that names no model, and of which the folder holds none, is an error', () => {
  assert.deepEqual(problemsOf({ dir: ['a'], ini: '[a]\n[b]\nhf-file = x.gguf' }), [
    'm.ini:2: [b]: the section names no model, and the models folder holds none of this name. Add model = PATH or hf-repo = USER/REPO:QUANT.',
  ]);
});

test('a folder that cannot be read is the one problem, not also the sections that speak of its models', () => {
  const sources = {
    ...sourcesOf({ ini: '[a]' }),
    modelsDir: { dir: '/d', models: [], withoutEffect: [], problems: [{ file: '/d', reason: 'unreadable' }] },
    problems: [{ file: '/d', reason: 'unreadable' }],
  };
  const settings = { args: [], idleTimeout: seconds(0), autoload: true, maxLoaded: 4 };
  const result = buildCatalog({ sources, settings, previous: undefined }, () => assert.fail());
  assert.deepEqual(result, { ok: false, problems: [{ file: '/d', reason: 'unreadable' }] });
});

test('a section is found under its own name and the one llama-server would list', () => {
  const names = (section: string): readonly string[] => only(catalogOf({ ini: `[${section}]\nmodel = x` })).aliases;
  assert.deepEqual(names('u/r:q4_k_m'), ['u/r:Q4_K_M']);
  assert.deepEqual(names('u/r:UD-q4'), ['u/r:Q4']);
  assert.deepEqual(names('u/r:Q4'), []);
  assert.deepEqual(names('u/r'), []);
});

test('defaults of the pool, the object and the preset are merged in this order, and the command line wins', () => {
  const defaults =
    '{ args: [--ctx-size=1, --batch-size=1, --threads=1, --parallel=1], env: [{ name: A, value: p }, { name: B, value: p }], scaling: { idleTimeout: 1s, loadTimeout: 1s, autoload: false } }';
  const own =
    '  defaults: { args: [--batch-size=2, --threads=2, --parallel=2], env: [{ name: B, value: o }], scaling: { idleTimeout: 2s, loadTimeout: 2s } }';
  const preset = '{ name: a, source: { path: /a }, args: [--threads=3, --parallel=3], scaling: { loadTimeout: 3s } }';
  const { presets, pools } = catalogOf({
    manifests: [object('o', preset, own), pool('default', `{ defaults: ${defaults} }`)],
    args: '--parallel 4',
  });
  const [{ launch, scaling, origin } = assert.fail()] = presets;
  assert.equal(launch.args.join(' '), '--model /a --ctx-size 1 --batch-size 2 --threads 3 --parallel 4');
  assert.deepEqual(
    [...launch.env],
    [
      ['A', 'p'],
      ['B', 'o'],
    ],
  );
  assert.deepEqual([scaling.idleTimeout, scaling.loadTimeout, scaling.autoload], [2000, 3000, false]);
  assert.deepEqual(origin, { kind: 'manifest', file: '0.yaml', object: 'default/o' });
  assert.deepEqual(
    pools.map(({ maxLoaded }) => maxLoaded),
    [0],
  );
});

test('a pool that nobody declares stays missing, and the pool of the flags is there', () => {
  const { presets, pools } = catalogOf({
    manifests: [object('o', '{ name: a, source: { path: /a } }', '  pool: gpu')],
  });
  assert.deepEqual([presets.map((preset) => preset.pool), pools.map(({ name }) => name)], [['gpu'], ['default']]);
});

test('a name stands for one model only, over all sources, and the error names both places', () => {
  assert.deepEqual(
    problemsOf({
      dir: ['a', 'b'],
      ini: '[x]\nmodel = x\nalias = a',
      manifests: [
        object('o', '{ name: b, source: { path: /b }, aliases: [x] }'),
        object('p', '{ name: c, source: { path: /c }, aliases: [q, c] }'),
      ],
    }),
    [
      "0.yaml:5:56: spec.presets[0].aliases[0]: the name 'x' is taken by m.ini:1: [x]. A name may stand for one model only: rename one.",
      "/d/a.gguf: the name 'a' is taken by m.ini:3: alias. A name may stand for one model only: rename one.",
      "0.yaml:5:21: spec.presets[0].name: the name 'b' is taken by /d/b.gguf. A name may stand for one model only: rename one.",
    ],
  );
});

test('one object or pool twice is an error that names both places', () => {
  const one = object('o', '{ name: a, source: { path: /a } }');
  const two = object('o', '{ name: b, source: { path: /b } }');
  assert.deepEqual(problemsOf({ manifests: [one, two, pool('x', '{}'), pool('x', '{}')] }), [
    '1.yaml:3:19: metadata.name: 0.yaml:3:19: metadata.name declares this ModelDeployment already. Rename or remove one.',
    '3.yaml:3:19: metadata.name: 2.yaml:3:19: metadata.name declares this ModelPool already. Rename or remove one.',
  ]);
});

test('problems of all sources are reported together, and then nothing is built', () => {
  const found = problemsOf({ ini: '[a]\nmodel = x\nfrobnicate = 1', manifests: ['kind: X'] });
  assert.deepEqual(
    found.map((problem) => problem.split(':')[0]),
    ['m.ini', '0.yaml'],
  );
});

test('a preset keeps its uid as long as it is declared, and one that comes back has another', () => {
  const first = catalogOf({ dir: ['a', 'b'] });
  const changed = catalogOf({ dir: ['a'], args: '-c 1', previous: first });
  assert.equal(only(changed).uid, first.presets[0]?.uid);
  const back = catalogOf({ dir: ['a', 'b'], previous: changed });
  assert.equal(back.presets[0]?.uid, first.presets[0]?.uid);
  assert.notEqual(back.presets[1]?.uid, first.presets[1]?.uid);
});

test('the same name from another object or another kind of source is another preset', () => {
  const preset = '{ name: a, source: { path: /a } }';
  const dir = catalogOf({ dir: ['a'] });
  const ini = catalogOf({ ini: '[a]\nmodel = /d/a.gguf', previous: dir });
  const one = catalogOf({ manifests: [object('one', preset)], previous: ini });
  const two = catalogOf({ manifests: [object('two', preset)], previous: one });
  const same = catalogOf({ manifests: [object('two', preset)], previous: two });
  const given = [dir, ini, one, two].map((catalog) => only(catalog).uid);
  assert.equal(new Set(given).size, 4);
  assert.equal(only(same).uid, given.at(-1));
});

test('only what is rendered changes the hash', () => {
  const hash = (given: Given): string => only(catalogOf(given)).rendered;
  const preset = (more: string): Given => ({ manifests: [object('o', `{ name: a, source: { path: /a }, ${more} }`)] });
  const plain = hash(preset(''));
  assert.equal(hash(preset('aliases: [b], tags: [t], scaling: { idleTimeout: 1s }, queue: { maxWaiting: 1 }')), plain);
  assert.notEqual(hash(preset('args: [--jinja]')), plain);
  assert.notEqual(hash(preset('env: [{ name: A, value: b }]')), plain);
  const ab = hash(preset('env: [{ name: A, value: a }, { name: B, value: b }]'));
  assert.equal(hash(preset('env: [{ name: B, value: b }, { name: A, value: a }]')), ab);
  assert.equal(hash({ ini: '[a]\nmodel = x\nstop-timeout = 1' }), hash({ ini: '[a]\nmodel = x' }));
});

test('names that objects inherit are names like others', () => {
  const { presets } = catalogOf({ dir: ['__proto__', 'constructor'], ini: '[__proto__]\nalias = toString' });
  assert.deepEqual(
    presets.map(({ model, aliases }) => [model, ...aliases]),
    [['__proto__', 'toString'], ['constructor']],
  );
});

test('what has no effect here is handed on', () => {
  const result = build({ manifests: [object('o', '{ name: a, source: { path: /a }, pod: {} }')] });
  assert.ok(result.ok);
  assert.deepEqual(
    result.withoutEffect.map(({ file, field }) => [file, field]),
    [['0.yaml', 'spec.presets[0].pod']],
  );
});

const POOL = `
apiVersion: corral.dev/v1alpha1
kind: ModelPool
metadata: { name: default }
spec: { capacity: { maxLoaded: 1 } }
`;

test('the limit of the command line has no effect on a pool that a manifest declares, and this is said', () => {
  const withoutEffect = (settings: Partial<CatalogSettings>): unknown => {
    const result = build({ manifests: [POOL], settings });
    assert.ok(result.ok);
    assert.equal(result.catalog.pools[0]?.maxLoaded, 1);
    return result.withoutEffect.map(({ file, field }) => `${file} ${field}`);
  };
  assert.deepEqual(withoutEffect({ maxLoaded: 4 }), ['command line --models-max']);
  assert.deepEqual(withoutEffect({ maxLoaded: undefined }), []);
  assert.equal(catalogOf({ settings: { maxLoaded: undefined } }).pools[0]?.maxLoaded, 4);
});

test('more models to be loaded without a request than the pool may hold are refused, each beyond it', () => {
  const ini = ['a', 'b', 'c'].map((name) => `[${name}]\nmodel = ${name}.gguf\nload-on-startup = true\n`).join('\n');
  assert.deepEqual(problemsOf({ ini, settings: { maxLoaded: 3 } }), []);
  assert.deepEqual(problemsOf({ ini, settings: { maxLoaded: 0 } }), []);
  const problems = problemsOf({ ini, settings: { maxLoaded: 1 } });
  assert.equal(problems.length, 2);
  assert.match(problems.join('\n'), /m\.ini:5.*pool default holds 1 at once/u);
});
