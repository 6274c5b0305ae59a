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
    modelsDir:
      dir === undefined ? undefined : { dir: '/d', models, withoutEffect: [], warnings: [], unread: [], problems: [] },
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
  const bins = [{ name: 'pool', size: undefined }];
  assert.deepEqual(pools, [
    { name: 'default', maxLoaded: 4, bins, eviction: 'LRUByIdle', paused: false, minResidency: 0, fairAfter: 30_000 },
  ]);
  const [{ uid, rendered, serves, ...preset } = assert.fail()] = presets;
  assert.match(uid, /^uid-/u);
  for (const hash of [rendered, serves]) assert.match(hash, /^[0-9a-f]{64}$/u);
  assert.deepEqual(preset, {
    model: 'a',
    aliases: [],
    variants: [],
    tags: [],
    pool: 'default',
    footprint: new Map(),
    priority: 0,
    launch: { args: ['--model', '/d/a.gguf'], env: new Map(), stopTimeout: 5000 },
    scaling: {
      ...{ minReplicas: 0, maxReplicas: 1, targetInFlight: 4 },
      ...{ idleTimeout: 60_000, loadTimeout: 600_000, autoload: true, loadOnStartup: false },
    },
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
    modelsDir: {
      dir: '/d',
      models: [],
      withoutEffect: [],
      warnings: [],
      unread: [],
      problems: [{ file: '/d', reason: 'unreadable' }],
    },
    problems: [{ file: '/d', reason: 'unreadable' }],
  };
  const settings = { args: [], idleTimeout: seconds(0), autoload: true, maxLoaded: 4 };
  const result = buildCatalog({ sources, settings, previous: undefined }, () => assert.fail());
  assert.deepEqual(result, {
    ok: false,
    problems: [{ file: '/d', reason: 'unreadable' }],
    withoutEffect: [],
    warnings: [],
  });
});

test('what cannot be read refuses a reload that would lose its model, and is a note where there is none', () => {
  const unread = ['a', 'new'].map((model) => ({
    model,
    file: '/d',
    field: model,
    reason: 'it cannot be looked at (EIO)',
  }));
  const settings = { args: [], idleTimeout: seconds(0), autoload: true, maxLoaded: 4 };
  const buildAfter = (previous: Catalog | undefined): CatalogResult => {
    const modelsDir = { dir: '/d', models: [], withoutEffect: [], warnings: [], unread, problems: [] };
    return buildCatalog({ sources: { ...sourcesOf({}), modelsDir }, settings, previous }, () => assert.fail());
  };
  const atStart = buildAfter(undefined);
  assert.equal(atStart.ok, true);
  assert.deepEqual(
    atStart.withoutEffect.map(({ field }) => field),
    ['a', 'new'],
  );
  const reloaded = buildAfter(catalogOf({ dir: ['a'] }));
  assert.deepEqual(reloaded.ok ? [] : reloaded.problems.map(formatProblem), [
    "/d/a: it cannot be looked at (EIO), and the model 'a' is in force. Make it readable, or remove it if the model is to go.",
  ]);
  assert.deepEqual(reloaded.withoutEffect, [{ file: '/d', field: 'new', reason: 'it cannot be looked at (EIO)' }]);
});

test('a section is found under its own name and the one llama-server would list', () => {
  const names = (section: string): readonly string[] => only(catalogOf({ ini: `[${section}]\nmodel = x` })).aliases;
  assert.deepEqual(names('u/r:q4_k_m'), ['u/r:Q4_K_M']);
  assert.deepEqual(names('u/r:UD-q4'), ['u/r:Q4']);
  assert.deepEqual(names('u/r:Q4'), []);
  assert.deepEqual(names('u/r'), []);
});

/** The names of each model, and which of llama-server's names were dropped. */
function namesAndNotes(given: Given): [string[][], string[]] {
  const result = build(given);
  assert.ok(result.ok, result.ok ? '' : result.problems.map(formatProblem).join('\n'));
  const names = result.catalog.presets.map(({ model, aliases }) => [model, ...aliases]);
  return [names, result.withoutEffect.map(({ file, field, reason }) => `${file}: ${field}: ${reason}`)];
}

test('a name that llama-server would give to several sections is the second name of none, and this is said', () => {
  const given = { ini: '[x:8b-instruct]\nmodel = /8\n[x:70b-instruct]\nmodel = /70\n[x:q4]\nmodel = /4' };
  assert.deepEqual(namesAndNotes(given), [
    [['x:8b-instruct'], ['x:70b-instruct'], ['x:q4', 'x:Q4']],
    [
      "m.ini: llama-server's name x:INSTRUCT for [x:8b-instruct]: m.ini:3: [x:70b-instruct] has the same",
      "m.ini: llama-server's name x:INSTRUCT for [x:70b-instruct]: m.ini:1: [x:8b-instruct] has the same",
    ],
  ]);
});

test('a name that is written belongs to who wrote it, wherever, and not to a section that llama-server would list so', () => {
  const section = '[x:q4]\nmodel = /4\n';
  const manifest = (more: string): string => object('o', `{ name: o, source: { path: /o }, ${more} }`);
  const elsewhere: [Given, string][] = [
    [{ ini: `${section}[x:Q4]\nmodel = /b` }, 'm.ini:3: [x:Q4]'],
    [{ ini: `${section}[y]\nmodel = /b\nalias = x:Q4` }, 'm.ini:5: alias'],
    [{ ini: `[y]\nmodel = /b\nalias = x:Q4\n${section}` }, 'm.ini:3: alias'],
    [{ ini: section, dir: ['x:Q4'] }, '/d/x:Q4.gguf'],
    [{ ini: section, manifests: [manifest("model: 'x:Q4'")] }, '0.yaml:5:53: spec.presets[0].model'],
    [
      { ini: section, manifests: [manifest("variants: [{ model: 'x:Q4', parameters: { n: 1 } }]")] },
      '0.yaml:5:66: spec.presets[0].variants[0].model',
    ],
  ];
  for (const [given, place] of elsewhere) {
    const [names, notes] = namesAndNotes(given);
    assert.deepEqual(notes, [`m.ini: llama-server's name x:Q4 for [x:q4]: ${place} has the same`]);
    assert.ok(names.some(([model, ...aliases]) => model === 'x:q4' && aliases.length === 0));
  }
});

test('an alias that a section writes itself is its own, also where another would be listed so', () => {
  const ini = '[x:a-q4]\nmodel = /a\nalias = x:Q4\n[x:b-q4]\nmodel = /b';
  assert.deepEqual(namesAndNotes({ ini }), [
    [['x:a-q4', 'x:Q4'], ['x:b-q4']],
    ["m.ini: llama-server's name x:Q4 for [x:b-q4]: m.ini:3: alias has the same"],
  ]);
  assert.match(
    problemsOf({ ini: `${ini}\nalias = x:Q4` }).join(),
    /^m\.ini:6: alias: the name 'x:Q4' is taken by m\.ini:3/u,
  );
});

test('defaults of the pool, the object and the preset are merged in this order, and the command line wins', () => {
  const defaults =
    '{ args: [--ctx-size=1, --batch-size=1, --threads=1, --parallel=1], env: [{ name: A, value: p }, { name: B, value: p }], scaling: { idleTimeout: 1s, loadTimeout: 1s, autoload: false } }';
  const own =
    '  defaults: { args: [--batch-size=2, --threads=2, --parallel=2], env: [{ name: B, value: o }], scaling: { idleTimeout: 2s, loadTimeout: 2s } }';
  const preset = '{ name: a, source: { path: /a }, args: [--threads=3, --parallel=3], scaling: { loadTimeout: 3s } }';
  const { presets, pools } = catalogOf({
    manifests: [object('o', preset, own), pool('default', `{ defaults: ${defaults} }`)],
    args: '--parallel 5',
  });
  const [{ launch, scaling, origin } = assert.fail()] = presets;
  assert.equal(launch.args.join(' '), '--model /a --ctx-size 1 --batch-size 2 --threads 3 --parallel 5');
  assert.deepEqual(
    [...launch.env],
    [
      ['A', 'p'],
      ['B', 'o'],
    ],
  );
  assert.deepEqual([scaling.idleTimeout, scaling.loadTimeout, scaling.autoload], [2000, 3000, false]);
  assert.equal(scaling.targetInFlight, 5);
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

test('a pool that no manifest of any file declares is a warning, with what becomes of its requests', () => {
  const warningsOf = (...manifests: readonly string[]): string[] => build({ manifests }).warnings.map(formatProblem);
  const inGpux = object('o', '{ name: a, source: { path: /a } }', '  pool: gpux');
  const missing = `0.yaml:6:9: spec.pool: no ModelPool gpux is declared in these manifests: where there is none of that name, requests for its models are answered 503 pool_not_found.`;
  assert.deepEqual(warningsOf(inGpux), [`${missing} Declare it, or name another.`]);
  assert.deepEqual(warningsOf(inGpux, pool('gpu', '{}')), [`${missing} Did you mean gpu?`]);
  assert.deepEqual(warningsOf(inGpux, pool('gpux', '{}')), []);
  assert.deepEqual(warningsOf(inGpux, pool('gpux', '{ unknown: 1 }')), [], 'a pool that is refused is not missing');
  const inDefault = ['', '  pool: default'].map((more, at) =>
    object(`o${at}`, '{ name: a, source: { path: /a } }', more),
  );
  assert.deepEqual(warningsOf(...inDefault), [], 'corral serve declares that one itself');
  const needsCluster = object('o', '{ name: a, source: { image: { reference: r, path: p } } }', '  pool: gpux');
  assert.equal(warningsOf(needsCluster).length, 1, 'also of what only a cluster can run');
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

test('a section that comes twice is one problem: its name is not taken, too, and either may name the model', () => {
  assert.deepEqual(problemsOf({ ini: '[a]\nalias = x\n[b]\nmodel = b\n[a]\nmodel = a\nalias = x\nport = 1' }), [
    'm.ini:5: [a]: section [a] is already in line 1, and llama-server would forget that one. Merge the two.',
    'm.ini:8: port: Corral sets the address of each llama-server itself.',
  ]);
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

test('a model of the folder stays the same preset when a section over it comes, is edited and goes', () => {
  const plain = catalogOf({ dir: ['a'] });
  const named = catalogOf({ dir: ['a'], ini: '[a]\nalias = x', previous: plain });
  const edited = catalogOf({ dir: ['a'], ini: '[a]\nctx-size = 1', previous: named });
  const bare = catalogOf({ dir: ['a'], previous: edited });
  const given = [plain, named, edited, bare].map(only);
  assert.equal(new Set(given.map(({ uid }) => uid)).size, 1);
  const [before, ...later] = given.map(({ rendered }) => rendered);
  assert.deepEqual(
    later.map((rendered) => rendered === before),
    [true, false, true],
  );
});

test("a section that takes the place of the folder's model by one of its own is another preset, and stays the same section", () => {
  const uidOf = (dir: string[], ini: string, previous?: Catalog): [string, Catalog] => {
    const catalog = catalogOf({ dir, ini, ...(previous === undefined ? {} : { previous }) });
    return [only(catalog).uid, catalog];
  };
  const own = '[a]\nmodel = /other.gguf';
  const [folder, plain] = uidOf(['a'], '');
  const [replaced, replacing] = uidOf(['a'], own, plain);
  assert.notEqual(replaced, folder);
  assert.notEqual(uidOf(['a'], '', replacing)[0], replaced);
  const [section, overlay] = uidOf(['a'], '[a]', replacing);
  assert.equal(section, replaced);
  assert.equal(uidOf([], own, overlay)[0], replaced);
});

test('only what is rendered changes the hash', () => {
  const hash = (given: Given): string => only(catalogOf(given)).rendered;
  const preset = (more: string): Given => ({ manifests: [object('o', `{ name: a, source: { path: /a }, ${more} }`)] });
  const plain = hash(preset(''));
  assert.equal(hash(preset('aliases: [b], tags: [t], scaling: { idleTimeout: 1s }, queue: { maxWaiting: 1 }')), plain);
  assert.equal(hash(preset('variants: [{ model: v, parameters: { temperature: 0 } }]')), plain);
  assert.notEqual(hash(preset('args: [--jinja]')), plain);
  assert.notEqual(hash(preset('env: [{ name: A, value: b }]')), plain);
  const ab = hash(preset('env: [{ name: A, value: a }, { name: B, value: b }]'));
  assert.equal(hash(preset('env: [{ name: B, value: b }, { name: A, value: a }]')), ab);
  assert.equal(hash({ ini: '[a]\nmodel = x\nstop-timeout = 1' }), hash({ ini: '[a]\nmodel = x' }));
});

test('files win over what is inherited, are part of what is rendered, and but for a draft model of what is served', () => {
  const preset = (files: string): Preset =>
    only(
      catalogOf({
        manifests: [
          object(
            'o',
            `{ name: a, source: { path: /a }, files: [${files}] }`,
            '  defaults: { args: [--mmproj=/inherited] }\n',
          ),
        ],
      }),
    );
  const file = (arg: string, path: string): string => `{ arg: ${arg}, source: { path: ${path} } }`;
  const [plain, projector, draft, adapter] = [
    '',
    file('mmproj', '/p'),
    file('model-draft', '/d'),
    file('lora', '/l'),
  ].map(preset);
  assert.deepEqual(plain?.launch.args, ['--model', '/a', '--mmproj', '/inherited']);
  assert.deepEqual(projector?.launch.args, ['--model', '/a', '--mmproj', '/p']);
  assert.deepEqual(draft?.launch.args, ['--model', '/a', '--mmproj', '/inherited', '--model-draft', '/d']);
  assert.deepEqual(adapter?.launch.args, ['--model', '/a', '--mmproj', '/inherited', '--lora', '/l']);
  assert.equal(new Set([plain, projector, draft, adapter].map(({ rendered }) => rendered)).size, 4);
  assert.equal(draft.serves, plain.serves);
  assert.equal(new Set([plain, projector, adapter].map(({ serves }) => serves)).size, 3);
});

test('a variant is one more name, with its fields as JSON', () => {
  const variant = 'variants: [{ model: v, parameters: { temperature: 0, x: { y: [1] } } }]';
  const declared = (more: string): Given => ({
    manifests: [object('o', `{ name: a, source: { path: /a }, ${more} }`)],
  });
  const [plain, varied] = ['tags: []', variant].map((more) => only(catalogOf(declared(more))));
  assert.deepEqual(varied?.variants, [{ name: 'v', parameters: '{"temperature":0,"x":{"y":[1]}}' }]);
  assert.deepEqual([varied.aliases, varied.serves], [[], plain?.serves]);
  assert.deepEqual(problemsOf({ ...declared(variant), dir: ['v'] }), [
    "0.yaml:5:66: spec.presets[0].variants[0].model: the name 'v' is taken by /d/v.gguf. A name may stand for one model only: rename one.",
  ]);
});

test('names that objects inherit are names like others', () => {
  const { presets } = catalogOf({ dir: ['__proto__', 'constructor'], ini: '[__proto__]\nalias = toString' });
  assert.deepEqual(
    presets.map(({ model, aliases }) => [model, ...aliases]),
    [['__proto__', 'toString'], ['constructor']],
  );
});

test('what the models folder warns of is handed on', () => {
  const warnings = [{ file: '/d', reason: 'no model is found in it' }];
  const modelsDir = { dir: '/d', models: [], withoutEffect: [], warnings, unread: [], problems: [] };
  const settings = { args: [], idleTimeout: seconds(0), autoload: true, maxLoaded: 4 };
  const sources = { ...sourcesOf({}), modelsDir };
  assert.deepEqual(buildCatalog({ sources, settings, previous: undefined }, () => assert.fail()).warnings, warnings);
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

const GiB = 2 ** 30 * 1000;
/** A preset of a file, with more of its fields. */
const preset = (name: string, more: string): string => `{ name: ${name}, source: { path: /${name} }, ${more} }`;
/** Presets in the pool `gpu`, which counts two resources. */
const inPool = (presets: string, objectDefaults = '', poolDefaults = '{}'): Given => ({
  manifests: [
    object('o', presets, `  pool: gpu\n${objectDefaults}`),
    pool(
      'gpu',
      `{ maxPriority: 5, capacity: { resources: { vram: 24Gi, gpu: '1.9999' } }, defaults: ${poolDefaults} }`,
    ),
  ],
});
const footprintsOf = (given: Given): unknown =>
  catalogOf(given).presets.map(({ footprint }) => Object.fromEntries(footprint));

test('a pool has one bin of the size of its resources, rounded down', () => {
  const { pools } = catalogOf(inPool(preset('a', 'footprint: { vram: 1 }')));
  const size = new Map([
    ['vram', 24 * GiB],
    ['gpu', 1999],
  ]);
  assert.deepEqual(pools.find(({ name }) => name === 'gpu')?.bins, [{ name: 'pool', size }]);
});

test('a footprint is what the preset says, else its merged limits, of each resource that its pool counts', () => {
  const presets = [
    preset('a', 'footprint: { vram: 9Gi }'),
    preset('b', 'resources: { limits: { vram: 2Gi } }'),
    preset('c', "footprint: { gpu: '0.0001' }, resources: { limits: { vram: 2Gi, cpu: 8 } }"),
    preset('d', 'footprint: { vram: 0, gpu: 0 }'),
  ].join();
  const given = inPool(
    presets,
    '  defaults: { resources: { limits: { vram: 1Gi, memory: 1Gi } } }',
    '{ resources: { limits: { gpu: 500m, vram: 3Gi } } }',
  );
  assert.deepEqual(footprintsOf(given), [
    { gpu: 500, vram: 9 * GiB },
    { gpu: 500, vram: 2 * GiB },
    { gpu: 1, vram: 2 * GiB },
    { gpu: 0, vram: 0 },
  ]);
  const uncounted = {
    manifests: [object('o', preset('a', 'footprint: { vram: 1 }, resources: { limits: { cpu: 2 } }'))],
  };
  assert.deepEqual(footprintsOf(uncounted), [{ cpu: 2000, vram: 1000 }]);
});

test('a preset that says nothing of what its pool counts, or names what it does not count, is refused with its place', () => {
  const presets = `${preset('a', 'resources: { limits: { cpu: 1 } }')}, ${preset('b', 'footprint: { vram: 1, ram: 1 }')}`;
  assert.deepEqual(problemsOf(inPool(presets)), [
    '0.yaml:5:21: spec.presets[0].name: the ModelPool "gpu" counts vram and gpu, and nothing says how much of it a replica takes: set footprint or resources.limits.',
    '0.yaml:5:127: spec.presets[1].footprint: footprint names ram, and the ModelPool "gpu" counts vram and gpu only: name what it counts.',
  ]);
  const local = problemsOf({ dir: ['a'], manifests: [pool('default', '{ capacity: { resources: { vram: 1 } } }')] });
  assert.match(local.join(), /^\/d\/a\.gguf: the ModelPool "default" counts vram, and nothing says/u);
});

test('a priority is that of the preset, and at most what its pool allows', () => {
  const room = 'footprint: { vram: 0 }';
  const given = inPool(
    [preset('a', `${room}, priority: 5`), preset('b', `${room}, priority: -7`), preset('c', room)].join(),
  );
  assert.deepEqual(
    catalogOf(given).presets.map(({ priority }) => priority),
    [5, -7, 0],
  );
  assert.deepEqual(problemsOf(inPool(preset('a', `${room}, priority: 6`))), [
    '0.yaml:5:80: spec.presets[0].priority: priority 6 is above the maxPriority 5 of the ModelPool "gpu". Lower it, or raise spec.maxPriority of a ModelPool of that name.',
  ]);
  const flags = problemsOf({ manifests: [object('o', preset('a', 'priority: 1'))] });
  assert.match(flags.join(), /priority 1 is above the maxPriority 0 of the ModelPool "default"/u);
  const low = problemsOf({ dir: ['a'], manifests: [pool('default', '{ maxPriority: -1 }')] });
  assert.match(low.join(), /^\/d\/a\.gguf: priority 0 is above the maxPriority -1/u);
});

test('what is to be loaded without a request must fit together, in number and in every resource', () => {
  const lasting = (name: string, count: number, room: string): string =>
    preset(name, `footprint: { ${room} }, scaling: { minReplicas: ${count} }`);
  assert.deepEqual(problemsOf(inPool(`${lasting('a', 2, 'vram: 8Gi')}, ${lasting('b', 1, 'vram: 8Gi')}`)), []);
  const [problem, ...more] = problemsOf(inPool(`${lasting('a', 3, 'vram: 8Gi')}, ${lasting('b', 2, 'gpu: 1')}`));
  assert.match(
    String(problem),
    /presets\[1\]\.name: pool gpu has not enough gpu, and these are 2 more replicas that are to be/u,
  );
  assert.deepEqual(more, []);
  // Larger than the pool alone: it never starts, and takes nothing from others.
  assert.deepEqual(problemsOf(inPool(`${lasting('a', 1, 'vram: 25Gi')}, ${lasting('b', 1, 'vram: 24Gi')}`)), []);
  const limited = {
    manifests: [object('o', lasting('a', 3, 'x: 1')), pool('default', '{ capacity: { maxLoaded: 2 } }')],
  };
  assert.match(problemsOf(limited).join(), /pool default holds 2 at once, and these are 3 more replicas/u);
});

test('amounts of which the pool counts none have no effect here, and this is said', () => {
  const result = build({
    manifests: [
      object(
        'o',
        preset('a', 'footprint: { x: 1 }'),
        '  defaults: { resources: { limits: { cpu: 1 }, requests: {} } }',
      ),
      ...(
        inPool(preset('b', 'resources: { limits: { vram: 1, cpu: 1 } }'), '', '{ resources: { limits: { cpu: 1 } } }')
          .manifests ?? []
      ).map((text) => text.replace('name: o', 'name: p')),
    ],
  });
  assert.ok(result.ok);
  assert.deepEqual(
    result.withoutEffect.map(({ file, field }) => `${file} ${field}`),
    [
      '0.yaml spec.defaults.resources.requests',
      '2.yaml spec.defaults.resources.limits',
      '0.yaml spec.defaults.resources.limits',
      '0.yaml spec.presets[0].footprint',
    ],
  );
  assert.match(String(result.withoutEffect.at(-1)?.reason), /where capacity\.resources of its pool default counts/u);
});
