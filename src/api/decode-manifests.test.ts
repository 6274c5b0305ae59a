import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeManifests } from './decode-manifests.ts';
import { renderArgs } from './llama-options.ts';
import { fileItems } from './model-files.ts';
import { formatProblem } from './problem.ts';

const problems = (text: string): string[] => decodeManifests(text, 'm.yaml').problems.map(formatProblem);

/** A deployment with one preset, to which lines are added. The preset begins in line 7. */
const deployment = (preset: string, spec = ''): string => `apiVersion: corral.dev/v1alpha1
kind: ModelDeployment
metadata: { name: chat, namespace: ml }
spec:
  pool: default
  presets:
  - name: qwen
    source: { path: /m.gguf }
${preset
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => `    ${line}\n`)
  .join('')}${spec}`;

const FULL = `
# the pool
apiVersion: corral.dev/v1alpha1
kind: ModelPool
metadata: { name: default }
spec:
  controllerName: corral.dev/operator
  allowedNamespaces: { from: All }
  paused: true
  defaults: { args: [--flash-attn=on] }
  capacity: { maxLoaded: 2 }
  eviction: { policy: IdleBySize, minResidency: 5s, fairAfter: 0s }
---
apiVersion: corral.dev/v1alpha1
kind: ModelDeployment
metadata: { name: chat, namespace: ml, labels: { a: b } }
spec:
  defaults:
    engine: { type: LlamaServer, image: "ghcr.io/ggml-org/llama.cpp:server" }
    args: ["--ctx-size=8192", "--n-gpu-layers=99"]
    env: [{ name: A, value: "1" }]
    scaling: { idleTimeout: 15m, provisionTimeout: 30m }
    resources: { limits: { nvidia.com/gpu: 1 }, requests: {} }
    pod: { nodeSelector: { a: b } }
  presets:
  - name: qwen3-8b
    model: Qwen/Qwen3-8B-GGUF:Q4_K_M
    aliases: [qwen3, gpt-4o-mini]
    tags: [chat]
    source: { huggingFace: { repo: Qwen/Qwen3-8B-GGUF, quant: Q4_K_M } }
    args: ["--jinja", "--top-p=0.95", "--control-vector-layer-range=1 9", "--grammar=a=b"]
    scaling: { minReplicas: 1, maxReplicas: 2, targetInFlight: 3, loadTimeout: 1m, loadOnStartup: true, autoload: false }
    queue: { maxWaiting: 7, maxWait: 90s }
  - name: plain
    source: { path: ./x.gguf }
---
`;

const UNKNOWN_SIZE = [{ name: 'pool', size: undefined }];

test('a presets file is told by one line, and manifests beside it, or with a list of one, by their own faults', () => {
  for (const [line, ini] of [
    [4, '; x\nversion = 1\n\n[*]\nc = 1\n'],
    [1, '[a] # x\r\nmodel = /a.gguf\r\n'],
    [2, '; x\n[a]\nc = 1'],
    [1, '[a]\rc = 1'],
  ] as const) {
    const fix = 'this is no manifest. It looks like a presets file: give it with --models-preset.';
    assert.deepEqual(problems(ini), [`m.yaml:${line}: ${fix}`], ini);
  }
  assert.match(problems('kind: x\n---\n[a]\nc = 1').join('\n'), /^m\.yaml:1:7: kind: corral serve reads/u);
  assert.doesNotMatch(problems('kind: ModelPool\nspec:\n[a]\n').join('\n'), /no manifest/u);
  assert.doesNotMatch(problems('a: [\nb: c').join('\n'), /no manifest/u);
});

test('a pool is decoded', () => {
  const { pools } = decodeManifests(FULL, 'm.yaml');
  assert.deepEqual(
    pools.map(({ pool }) => pool),
    [
      {
        name: 'default',
        maxLoaded: 2,
        bins: UNKNOWN_SIZE,
        eviction: 'IdleBySize',
        paused: true,
        minResidency: 5000,
        fairAfter: 0,
      },
    ],
  );
  assert.deepEqual(renderArgs(pools.flatMap(({ defaults }) => defaults.args)), ['--flash-attn', 'on']);
});

test('a deployment is decoded with its defaults and presets, and each name knows where it stands', () => {
  const { deployments, problems: found } = decodeManifests(FULL, 'm.yaml');
  assert.deepEqual(found, []);
  const [chat] = deployments;
  assert.equal(chat?.object, 'ml/chat');
  assert.equal(chat.pool, 'default');
  assert.deepEqual(renderArgs(chat.defaults.args), ['--ctx-size', '8192', '--n-gpu-layers', '99']);
  assert.deepEqual([...chat.defaults.env], [['A', '1']]);
  assert.deepEqual(chat.defaults.scaling, { idleTimeout: 900_000 });
  const [qwen, plain] = chat.presets;
  assert.deepEqual(qwen?.model, {
    name: 'Qwen/Qwen3-8B-GGUF:Q4_K_M',
    site: { file: 'm.yaml', line: 27, column: 12, field: 'spec.presets[0].model' },
  });
  assert.deepEqual(
    qwen.aliases.map(({ name }) => name),
    ['qwen3', 'gpt-4o-mini'],
  );
  assert.deepEqual(renderArgs(qwen.source), ['--hf-repo', 'Qwen/Qwen3-8B-GGUF:Q4_K_M']);
  assert.deepEqual(renderArgs(qwen.layer.args), [
    ...['--jinja', '--top-p', '0.95', '--control-vector-layer-range', '1', '9', '--grammar', 'a=b'],
  ]);
  const replicas = { minReplicas: 1, maxReplicas: 2, targetInFlight: 3 };
  assert.deepEqual(qwen.layer.scaling, { ...replicas, loadTimeout: 60_000, loadOnStartup: true, autoload: false });
  assert.deepEqual([qwen.maxWaiting, qwen.maxWait], [7, 90_000]);
  assert.deepEqual([plain?.model.name, renderArgs(plain?.source ?? [])], ['plain', ['--model', './x.gguf']]);
});

test('fields that matter in a cluster only are accepted and listed', () => {
  assert.deepEqual(
    decodeManifests(FULL, 'm.yaml').withoutEffect.map(({ field }) => field),
    [
      'spec.allowedNamespaces',
      'spec.defaults.engine.image',
      'spec.defaults.scaling.provisionTimeout',
      'spec.defaults.resources.requests',
      'spec.defaults.pod',
    ],
  );
});

test('an unknown field is refused with its place and the nearest known one', () => {
  assert.deepEqual(problems(deployment('scaling:\n  idleTimeuot: 15m')), [
    'm.yaml:10:7: spec.presets[0].scaling.idleTimeuot: there is no such field. Did you mean idleTimeout?',
  ]);
  assert.deepEqual(problems(deployment('', '  constructor: 1')), [
    'm.yaml:9:3: spec.constructor: there is no such field.',
  ]);
});

test('a missing field is named at what misses it', () => {
  assert.deepEqual(problems(deployment('').replace('    source: { path: /m.gguf }\n', '')), [
    'm.yaml:7:5: spec.presets[0].source: the field is missing. It must be an object with exactly one of path, persistentVolumeClaim, huggingFace, url and image.',
  ]);
});

test('a variant that fixes what is no JSON is refused: an API server never sees it', () => {
  assert.deepEqual(problems(deployment('variants: [{ model: v, parameters: { a: { b: [1, .nan] } } }]')), [
    'm.yaml:9:54: spec.presets[0].variants[0].parameters.a.b[1]: every number must be finite.',
  ]);
});

test('files are options of llama-server: adapters in one, in their order, whatever their names hold', () => {
  const files = `files:
- { arg: lora, source: { path: 'a,"b' } }
- { arg: model-draft, source: { huggingFace: { repo: a/b, quant: Q4_0 } } }
- { arg: mmproj, source: { path: '/p,q.gguf' } }
- { arg: lora, source: { path: /c.gguf } }`;
  const { deployments, problems: found } = decodeManifests(deployment(files), 'm.yaml');
  assert.deepEqual(found, []);
  const [preset] = deployments.flatMap(({ presets }) => presets);
  assert.deepEqual(renderArgs(fileItems(preset?.files ?? [])), [
    ...['--hf-repo-draft', 'a/b:Q4_0', '--mmproj', '/p,q.gguf', '--lora', '"a,""b",/c.gguf'],
  ]);
});

test('files of a claim need a cluster', () => {
  const claim = deployment('files: [{ arg: lora, source: { persistentVolumeClaim: { claimName: a, path: l.gguf } } }]');
  assert.deepEqual(problems(claim), [
    'm.yaml:9:36: spec.presets[0].files[0].source.persistentVolumeClaim: needs a cluster.',
  ]);
});

test('sources that need a cluster are refused, and so are two sources or none', () => {
  const claim = deployment('').replace('path: /m.gguf', 'persistentVolumeClaim: { claimName: a, path: m.gguf }');
  assert.deepEqual(problems(claim), ['m.yaml:8:15: spec.presets[0].source.persistentVolumeClaim: needs a cluster.']);
  const url = deployment('').replace('path: /m.gguf', 'url: { url: "https://a/b.gguf" }');
  assert.deepEqual(problems(url), [
    'm.yaml:8:15: spec.presets[0].source.url: needs a cluster; here download the file and give its path.',
  ]);
  const none = problems(deployment('').replace('path: /m.gguf', '')).join();
  assert.match(none, /source: must have exactly one of path, persistentVolumeClaim, huggingFace, url and image\./u);
  const two = problems(deployment('').replace('path: /m.gguf', 'path: /m.gguf, huggingFace: { repo: a/b }')).join();
  assert.match(two, /source: must have exactly one of/u);
});

test('arguments are checked against the table of options, each at its own place', () => {
  const args = ['--ctx-sze=1', '--jinja=true', '--ctx-size', '-c 1', '--port=1', '--model=x', '--ctx-size 1'];
  assert.deepEqual(problems(deployment(`args:\n${args.map((arg) => `- "${arg}"`).join('\n')}`)), [
    'm.yaml:10:7: spec.presets[0].args[0]: --ctx-sze: llama-server v0.5.0 has no such option. Did you mean --ctx-size? If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in env.',
    'm.yaml:11:7: spec.presets[0].args[1]: --jinja: this option takes no value. Write --jinja, or one that switches it off.',
    'm.yaml:12:7: spec.presets[0].args[2]: --ctx-size: this option needs a value. Write --ctx-size=VALUE.',
    'm.yaml:13:7: spec.presets[0].args[3]: must be --name or --name=value.',
    'm.yaml:14:7: spec.presets[0].args[4]: --port: Corral sets the address of each llama-server itself.',
    "m.yaml:15:7: spec.presets[0].args[5]: --model: a preset's model is named by its source. Use the field source of the preset.",
    'm.yaml:16:7: spec.presets[0].args[6]: must be --name or --name=value.',
  ]);
});

test('values of a wrong type, form or size are refused with what they must be', () => {
  const cases = new Map([
    ['scaling: { idleTimeout: 15 }', /idleTimeout: must be a duration such as 15m, 1h30m or 0s, not 15\./u],
    ['scaling: { idleTimeout: 15 minutes }', /idleTimeout: must be a duration such as 15m, 1h30m or 0s\./u],
    ['scaling: { idleTimeout: 481h }', /idleTimeout: must not be longer than 480h\./u],
    ['scaling: { loadTimeout: 0s }', /loadTimeout: must be longer than 0s\./u],
    ['queue: { maxWait: 0s }', /maxWait: must be longer than 0s\./u],
    ['queue: { maxWaiting: 0 }', /maxWaiting: must be a whole number from 1 to 100000, not 0\./u],
    ['scaling: { minReplicas: 2, maxReplicas: 1 }', /minReplicas: minReplicas must not be above maxReplicas/u],
    ['footprint: { vram: -1 }', /footprint\.vram: must be a whole number, or a quantity in quotes .*, not -1\./u],
    ['footprint: {}', /footprint: must be a map of at least one quantity, not an object with no fields\./u],
    ['scaling: { autoload: "yes" }', /autoload: must be true or false, not "yes"\./u],
    ['aliases: [""]', /aliases\[0\]: /u],
    ['aliases: ["a,b"]', /aliases\[0\]: a model name must not hold a comma/u],
    ['aliases: qwen', /aliases: must be a list of at most 32 names, not "qwen"\./u],
    ['aliases: [null]', /aliases\[0\]: must be a model name of 1 to 256 bytes, not empty\./u],
    ['env: [{ name: "a b", value: x }]', /env\[0\]\.name: must be the name of a variable\./u],
    ['env: [{ name: LLAMA_API_KEY, value: x }]', /env\[0\]\.name: clients talk to Corral/u],
    ['env: [{ name: A, valueFrom: { fieldRef: { fieldPath: status.hostIP } } }]', /valueFrom: needs a cluster\./u],
    ['env: [{ name: A, valueFrom: {} }]', /env\[0\]\.valueFrom: must have exactly one of secretKeyRef, /u],
    ['env: [{ name: A }]', /env\[0\]: must have exactly one of value and valueFrom\./u],
    ['env: [{ name: POD_IP, value: x }]', /env\[0\]\.name: Corral sets this variable/u],
    ['engine: { type: vLLM }', /engine\.type: must be LlamaServer, not "vLLM"\./u],
  ]);
  for (const [line, expected] of cases) assert.match(problems(deployment(line)).join('\n'), expected, line);
});

test('no value of a variable or an argument is repeated in a message', () => {
  const text = deployment(
    'env: [{ name: A, value: 5318008 }, { name: B, value: [s3cret] }]\nargs: ["-hft=s3cret", 5318008]',
  );
  const found = problems(text);
  assert.equal(found.length, 4);
  assert.doesNotMatch(found.join(), /s3cret|5318008/u);
});

test('all faults of all objects are reported at once', () => {
  const many = deployment(Array.from({ length: 20 }, (_, index) => `wrong${index}: 1`).join('\n'));
  assert.equal(problems(`${many}\n---\n${deployment('priority: 1001')}`).length, 21);
});

test('a faulty object is left out and the others are decoded', () => {
  const decoded = decodeManifests(`${deployment('priority: 1001')}\n---\n${deployment('')}`, 'm.yaml');
  assert.deepEqual([decoded.deployments.length, decoded.problems.length], [1, 1]);
});

test('a preset name twice in one object is refused', () => {
  assert.deepEqual(problems(deployment('', '  - { name: qwen, model: b, source: { path: /b } }')), [
    'm.yaml:9:13: spec.presets[1].name: spec.presets[0] has this name already. Rename or remove one.',
  ]);
});

test('objects of other kinds and versions are refused', () => {
  assert.match(problems('kind: ModelDeploymnt').join(), /1:7: kind: .* only\. Did you mean ModelDeployment\?/u);
  assert.match(problems('a: 1').join(), /kind: corral serve reads ModelDeployment and ModelPool only/u);
  assert.match(problems('[1, 2]').join(), /ModelDeployment and ModelPool only/u);
  assert.deepEqual(problems(deployment('').replace('corral.dev/v1alpha1', 'airunway.ai/v1')), [
    'm.yaml:1:13: apiVersion: must be corral.dev/v1alpha1.',
  ]);
  const foreign =
    'apiVersion: corral.dev/v1alpha1\nkind: ModelPool\nmetadata: { name: a }\nspec: { controllerName: x/y }';
  assert.match(problems(foreign).join(), /controllerName: must be corral\.dev\/operator, which is Corral, not "x\/y"/u);
});

test('a pool needs no spec, and has no limit then', () => {
  const text = 'apiVersion: corral.dev/v1alpha1\nkind: ModelPool\nmetadata: { name: a }';
  const { pools } = decodeManifests(text, 'm.yaml');
  const limits = {
    maxLoaded: 0,
    bins: UNKNOWN_SIZE,
    eviction: 'LRUByIdle',
    paused: false,
    minResidency: 0,
    fairAfter: 30_000,
  };
  assert.deepEqual(pools[0], { ...pools[0], pool: { name: 'a', ...limits }, maxPriority: 0 });
});

test('YAML that cannot be read is refused with line and column', () => {
  assert.match(problems('a: [1\nb: }').join('\n'), /^m\.yaml:2:/u);
  assert.deepEqual(problems('a: 1\na: 2'), ['m.yaml:2:1: Map keys must be unique.']);
  assert.match(problems('a: !wrong 1').join('\n'), /^m\.yaml:1:4: Unresolved tag/mu);
  assert.match(problems('a: *nothing').join('\n'), /^m\.yaml:1:/u);
});

test('aliases that multiply without bound are refused', () => {
  const levels = Array.from(
    { length: 9 },
    (_, i) => `${'abcdefghij'[i + 1]}: &${'abcdefghij'[i + 1]} [${Array(9).fill(`*${'abcdefghij'[i]}`).join()}]`,
  );
  assert.match(problems(`a: &a [1]\n${levels.join('\n')}`).join(), /alias/iu);
});

test('a file without an object is refused, and empty documents are passed over', () => {
  for (const text of ['', '# nothing', '---\n---\n']) {
    assert.deepEqual(problems(text), ['m.yaml: the file holds neither a ModelDeployment nor a ModelPool.'], text);
  }
});

test('the keys of an object are its own, whatever they are called', () => {
  const found = problems(deployment('', '  __proto__: { pool: x }'));
  assert.deepEqual(found, ['m.yaml:9:3: spec.__proto__: there is no such field.']);
});
