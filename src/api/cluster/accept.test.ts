import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Pool } from '../../domain/pool.ts';
import type { Preset } from '../../domain/preset.ts';
import {
  acceptObjects,
  type AcceptOptions,
  declared,
  declaredPool,
  declaredPreset,
  granting,
  verdictOn,
} from '../../testing/declared-objects.ts';
import { catalogOf, templatesOf } from './accept.ts';
import type { ClusterObject } from './decode-objects.ts';
import type { PodSettings } from './pod-settings.ts';

/** `accepted`, or the reason and message of the refusal. */
function outcome(deployments: readonly ClusterObject[], object: string, options?: AcceptOptions): string | undefined {
  const verdict = verdictOn(acceptObjects(deployments, options), object);
  if (verdict === undefined) return undefined;
  const { outcome: decided } = verdict;
  return decided.kind === 'accepted' ? 'accepted' : `${decided.refusal.reason}: ${decided.refusal.message}`;
}

function settingsOf(object: ClusterObject, pool: ClusterObject): PodSettings {
  const verdict = verdictOn(acceptObjects([object], { pools: [pool] }), object.metadata.name);
  assert.equal(verdict?.outcome.kind, 'accepted');
  return verdict.outcome.template.settings;
}

describe('layers', () => {
  const pool = declaredPool('default', {
    defaults: {
      engine: { image: 'pool:1' },
      args: ['--ctx-size=1', '--jinja', '--lora=a'],
      env: [
        { name: 'A', value: 'pool' },
        { name: 'B', value: 'pool' },
      ],
      resources: { limits: { 'nvidia.com/gpu': 1, memory: '1Gi' }, claims: [{ name: 'pool' }] },
      scaling: { idleTimeout: '1m', loadTimeout: '1m', provisionTimeout: '1m' },
      pod: {
        labels: { a: 'pool', b: 'pool' },
        tolerations: [{ key: 'pool' }],
        affinity: { nodeAffinity: { preferred: [1] }, podAffinity: { x: 1 } },
        schedulerName: 'pool',
      },
    },
  });
  const object = declared(
    'a',
    [
      {
        name: 'a',
        model: 'Org/A:Q4',
        source: { persistentVolumeClaim: { claimName: 'models', path: 'a.gguf' } },
        args: ['--ctx-size=3', '--no-jinja', '--new-option=x', '--parallel=4'],
        env: [{ name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
        resources: { limits: { memory: '3Gi' }, requests: { cpu: 2 } },
        scaling: { loadTimeout: '3m', provisionTimeout: '3m' },
        pod: { labels: { b: 'preset' }, tolerations: [{ key: 'preset' }], schedulerName: 'preset' },
      },
    ],
    {
      defaults: {
        args: ['--ctx-size=2', '--flash-attn=on'],
        env: [{ name: 'C', value: '$(A)' }],
        scaling: { idleTimeout: '2m' },
        pod: { affinity: { nodeAffinity: { preferred: [2] } } },
      },
    },
  );

  it('merge pool under object under preset: options, variables and maps by name, lists one after another', () => {
    assert.deepEqual(settingsOf(object, pool), {
      owner: { namespace: 'ml', name: 'a', uid: 'a-uid' },
      preset: 'a',
      pool: 'default',
      model: 'Org/A:Q4',
      image: 'pool:1',
      args: [
        ...['--lora', 'a', '--flash-attn', 'on', '--ctx-size', '3'],
        ...['--no-jinja', '--new-option', 'x', '--parallel', '4'],
      ],
      env: [
        { name: 'A', value: 'pool' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'C', value: '$(A)' },
      ],
      source: { kind: 'persistentVolumeClaim', claimName: 'models', path: 'a.gguf' },
      files: [],
      resources: {
        limits: { 'nvidia.com/gpu': 1, memory: '3Gi' },
        requests: { cpu: 2 },
        claims: [{ name: 'pool' }],
      },
      pod: {
        labels: { a: 'pool', b: 'preset' },
        tolerations: [{ key: 'pool' }, { key: 'preset' }],
        affinity: { nodeAffinity: { preferred: [1, 2] }, podAffinity: { x: 1 } },
        schedulerName: 'preset',
      },
      provisionTimeout: 180_000,
      loadTimeout: 180_000,
      drainTimeout: 1_800_000,
    });
  });

  it('give way to what files names: an option that names the same is inherited no more', () => {
    const inheriting = (files?: object): readonly string[] => {
      const preset = declaredPreset('a', { args: ['--top-k=1'], ...(files === undefined ? {} : { files }) });
      const args = ['--mmproj-url=x', '--hf-repo-draft=a/b', '--spec-draft-model=d', '--lora-scaled=l:1'];
      return settingsOf(declared('a', [preset], { defaults: { args } }), pool).args;
    };
    const [projector, draft] = [
      ['--mmproj-url', 'x'],
      ['--hf-repo-draft', 'a/b', '--model-draft', 'd'],
    ];
    const others = ['--lora-scaled', 'l:1', '--top-k', '1'];
    const common = ['--ctx-size', '1', '--jinja'];
    const file = (arg: string): object => ({ arg, source: { path: '/f' } });
    assert.deepEqual(inheriting(), [...common, '--lora', 'a', ...projector, ...draft, ...others]);
    assert.deepEqual(inheriting([file('mmproj')]), [...common, '--lora', 'a', ...draft, ...others]);
    assert.deepEqual(inheriting([file('model-draft')]), [...common, '--lora', 'a', ...projector, ...others]);
    assert.deepEqual(inheriting([file('lora')]), [...common, ...projector, ...draft, ...others]);
  });

  it('make a preset of the catalog, with what holds where nobody says anything', () => {
    const acceptance = acceptObjects([object], { pools: [pool] });
    const [preset, ...more] = catalogOf(acceptance).presets;
    assert.ok(preset !== undefined && more.length === 0);
    assert.deepEqual([preset.uid, preset.model, preset.pool], ['a-uid/a', 'Org/A:Q4', 'default']);
    assert.deepEqual(preset.scaling, {
      minReplicas: 0,
      maxReplicas: 1,
      targetInFlight: 4,
      idleTimeout: 120_000,
      loadTimeout: 180_000,
      autoload: true,
      loadOnStartup: false,
    });
    assert.deepEqual(preset.origin, { kind: 'manifest', file: '', object: 'ml/a' });
    assert.equal(preset.rendered, templatesOf(acceptance).get(preset.uid)?.rendered);
    const plain = catalogOf(acceptObjects([declared('b', [declaredPreset('b')])])).presets[0];
    assert.equal(plain?.scaling.idleTimeout, 900_000, 'a model nobody asks for goes back to zero');
    assert.deepEqual(plain.queue, { maxWaiting: 256, maxWait: 600_000 });
  });
});

describe('a preset and its pool', () => {
  const accepted = (preset: object, spec: object = {}): { preset: Preset; pool: Pool; rendered: string } => {
    const acceptance = acceptObjects([declared('a', [declaredPreset('a', preset)])], {
      pools: [declaredPool('default', spec)],
    });
    const { presets, pools } = catalogOf(acceptance);
    const [[one], [pool]] = [presets, pools];
    assert.ok(one !== undefined && pool !== undefined, JSON.stringify(verdictOn(acceptance, 'a')?.outcome));
    return { preset: one, pool, rendered: one.rendered };
  };
  const counting = { capacity: { resources: { vram: '24Gi', gpu: '0.0019' } }, maxPriority: 9 };

  it('have a size and a footprint of what the pool counts: its own word, else its merged limits', () => {
    const limits = { vram: '2Gi', cpu: 8 };
    const defaults = { resources: { limits: { gpu: '0.0001' } } };
    const { preset, pool } = accepted({ footprint: { vram: '9Gi' }, resources: { limits } }, { ...counting, defaults });
    const size = new Map([
      ['vram', 24 * 2 ** 30 * 1000],
      ['gpu', 1],
    ]);
    assert.deepEqual(pool.bins, [{ name: 'pool', size }]);
    assert.deepEqual([...preset.footprint].sort(), [
      ['gpu', 1],
      ['vram', 9 * 2 ** 30 * 1000],
    ]);
    const { footprint } = accepted({ resources: { limits } }, counting).preset;
    assert.deepEqual([...footprint], [['vram', 2 * 2 ** 30 * 1000]]);
  });

  it('of which the pool counts nothing have all that the preset says, for what a scheduler may teach', () => {
    const { preset, pool } = accepted({ footprint: { vram: 1 }, resources: { limits: { cpu: '500m' } } });
    assert.deepEqual(pool.bins, [{ name: 'pool', size: undefined }]);
    assert.deepEqual(Object.fromEntries(preset.footprint), { cpu: 500, vram: 1000 });
  });

  it('have a priority, and another footprint or priority is no other pod', () => {
    const [low, high] = [5, 9].map((priority) => accepted({ priority, footprint: { vram: priority } }, counting));
    assert.deepEqual([low?.preset.priority, high?.preset.priority], [5, 9]);
    assert.equal(low?.rendered, high?.rendered);
  });

  it('have variants, whose names are granted as others are, and which are no other pod', () => {
    const variants = [{ model: 'v', parameters: { temperature: 0 } }];
    const [plain, varied] = [{}, { variants }].map((more) => accepted(more));
    assert.deepEqual(varied?.preset.variants, [{ name: 'v', parameters: '{"temperature":0}' }]);
    assert.deepEqual([varied.rendered, varied.preset.serves], [plain?.rendered, plain?.preset.serves]);
    const late = declared('late', [declaredPreset('late', { aliases: ['v'] })], { createdAt: '2026-02-01T00:00:00Z' });
    const verdict = verdictOn(acceptObjects([declared('a', [declaredPreset('a', { variants })]), late]), 'late');
    assert.deepEqual(verdict?.lost, [{ name: 'v', holder: 'ml/a' }]);
  });

  it('serve something else with another projector or adapter, and the same with another draft model', () => {
    const serves = (arg: string, path: string): string =>
      accepted({ files: [{ arg, source: { path } }] }).preset.serves;
    const plain = accepted({}).preset.serves;
    assert.equal(serves('model-draft', '/x'), plain);
    const others = [serves('lora', '/x'), serves('lora', '/y'), serves('mmproj', '/x')];
    assert.equal(new Set([plain, ...others]).size, 4);
  });

  it('have as many replicas as declared, each for as many requests as its llama-server works on', () => {
    const { minReplicas, maxReplicas, targetInFlight } = accepted({
      scaling: { minReplicas: 2 },
      args: ['--parallel=8'],
      env: [{ name: 'LLAMA_ARG_N_PARALLEL', value: '2' }],
    }).preset.scaling;
    assert.deepEqual([minReplicas, maxReplicas, targetInFlight], [2, 2, 8]);
    const env = [{ name: 'LLAMA_ARG_N_PARALLEL', value: '2' }];
    assert.equal(accepted({ env }).preset.scaling.targetInFlight, 2);
    const defaults = { args: ['--parallel=7'] };
    assert.equal(accepted({ args: ['--parallel=6'] }, { defaults }).preset.scaling.targetInFlight, 6);
    assert.equal(accepted({ env }, { defaults }).preset.scaling.targetInFlight, 7);
    assert.equal(accepted({ env, scaling: { targetInFlight: 3 } }).preset.scaling.targetInFlight, 3);
  });
});

describe('a preset is refused', () => {
  const one = [declared('a', [declaredPreset('a')])];
  const isRefused = (reason: RegExp, deployments: readonly ClusterObject[], options?: AcceptOptions): void => {
    assert.match(String(outcome(deployments, 'a', options)), reason);
    assert.deepEqual(catalogOf(acceptObjects(deployments, options)).presets, []);
  };

  it('while its pool is missing, is being deleted or cannot be read', () => {
    isRefused(/^PoolNotFound: the ModelPool "default" does not exist/u, one, { pools: [declaredPool('other')] });
    const { metadata, ...rest } = declaredPool();
    const deleting = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    isRefused(/^PoolNotFound: .*does not exist/u, one, { pools: [deleting] });
    isRefused(/^PoolNotFound: .*cannot be used.*spec\.paused/u, one, {
      pools: [declaredPool('default', { paused: 'x' })],
    });
  });

  it('where its pool does not take its namespace', () => {
    const none = [declaredPool('default', { allowedNamespaces: { from: 'None' } })];
    isRefused(/^PoolNotAllowed: .*namespace "ml"/u, one, { pools: none });
    const selector = { matchLabels: { team: 'a' }, matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] };
    const some = [declaredPool('default', { allowedNamespaces: { from: 'Selector', selector } })];
    const labelled = (...labels: [string, string][]): AcceptOptions => ({
      pools: some,
      namespaces: new Map([['ml', new Map(labels)]]),
    });
    assert.equal(outcome(one, 'a', labelled(['team', 'a'])), 'accepted');
    isRefused(/^PoolNotAllowed/u, one, labelled(['team', 'b']));
    isRefused(/^PoolNotAllowed/u, one, labelled(['team', 'a'], ['x', '']));
    // A namespace that nobody knows matches no selector.
    isRefused(/^PoolNotAllowed/u, one, { pools: some });
  });

  it('for an option that needs a value and has none, but not for one that this version does not know', () => {
    const withArgs = (args: string[]): ClusterObject[] => [declared('a', [declaredPreset('a', { args })])];
    isRefused(/^InvalidArguments: --ctx-size: this option needs a value/u, withArgs(['--ctx-size']));
    assert.equal(outcome(withArgs(['--from-the-future=1', '--also-new', '--mlock=yes']), 'a'), 'accepted');
  });

  it('with a priority above that of its pool', () => {
    const urgent = [declared('a', [declaredPreset('a', { priority: 6 })])];
    const message = /^PriorityNotAllowed: priority 6 is above the maxPriority 5 of the ModelPool "default"$/u;
    isRefused(message, urgent, { pools: [declaredPool('default', { maxPriority: 5 })] });
    isRefused(/^PriorityNotAllowed: .* maxPriority 0 /u, urgent);
    assert.equal(outcome(urgent, 'a', { pools: [declaredPool('default', { maxPriority: 6 })] }), 'accepted');
    isRefused(/^PriorityNotAllowed: priority 0 /u, one, { pools: [declaredPool('default', { maxPriority: -1 })] });
  });

  it('that says nothing of what its pool counts, or names what it does not count', () => {
    const pools = [declaredPool('default', { capacity: { resources: { vram: '24Gi' } } })];
    const withRoom = (room: object): ClusterObject[] => [declared('a', [declaredPreset('a', room)])];
    isRefused(/^FootprintMissing: the ModelPool "default" counts vram, and nothing says/u, one, { pools });
    isRefused(/^FootprintMissing/u, withRoom({ resources: { limits: { cpu: 1 }, requests: { vram: 1 } } }), { pools });
    const unknown = withRoom({ footprint: { gpu: 1, vram: 1 } });
    isRefused(/^UnknownResource: footprint names gpu, and the ModelPool "default" counts vram only/u, unknown, {
      pools,
    });
    assert.equal(outcome(unknown, 'a'), 'accepted', 'its pool counts nothing');
    assert.equal(outcome(withRoom({ footprint: { vram: 0 } }), 'a', { pools }), 'accepted');
  });

  it('without an image, and for a pod that cannot be rendered', () => {
    const bare = [declared('a', [declaredPreset('a', { engine: {} })])];
    isRefused(/^InvalidPod: engine\.image is missing/u, bare);
    const render: AcceptOptions['render'] = () => ({ ok: false, reason: 'InvalidPod', message: 'no' });
    isRefused(/^InvalidPod: no$/u, one, { render });
  });
});

describe('names', () => {
  const old = declared('old', [declaredPreset('old', { aliases: ['x'] })], { createdAt: '2026-01-01T00:00:00Z' });
  const late = declared('late', [declaredPreset('late', { aliases: ['x'] }), declaredPreset('y')], {
    createdAt: '2026-02-01T00:00:00Z',
  });

  it('that belong to an older object are lost, and the others of the preset and its object keep working', () => {
    const acceptance = acceptObjects([late, old]);
    const verdict = verdictOn(acceptance, 'late');
    assert.deepEqual(verdict?.granted, ['late']);
    assert.deepEqual(verdict.lost, [{ name: 'x', holder: 'ml/old' }]);
    assert.deepEqual(verdictOn(acceptance, 'old')?.granted, ['old', 'x']);
    const models = catalogOf(acceptance).presets.map(({ model, aliases }) => [model, ...aliases].join());
    assert.deepEqual(models, ['old,x', 'late', 'y']);
  });

  it('stay with the object whose status has them, but not with one whose status was copied', () => {
    const holding = (uid: string): ClusterObject => ({ ...late, status: granting(uid, { late: ['late', 'x'] }) });
    assert.deepEqual(verdictOn(acceptObjects([old, holding('late')]), 'late')?.granted, ['late', 'x']);
    assert.deepEqual(verdictOn(acceptObjects([old, holding('copied')]), 'late')?.granted, ['late']);
  });

  it('move to another preset of the same object at once', () => {
    const moved = declared('late', [declaredPreset('late'), declaredPreset('y', { aliases: ['x'] })], {
      status: granting('late', { late: ['late', 'x'], y: ['y'] }),
    });
    assert.deepEqual(verdictOn(acceptObjects([old, moved]), 'late', 'y')?.granted, ['y', 'x']);
  });

  it('all lost are a refusal; a preset that lost its first name goes by the next, and serves what it declares', () => {
    const thief = declared('thief', [declaredPreset('old')], { createdAt: '2026-03-01T00:00:00Z' });
    assert.equal(outcome([old, thief], 'thief'), undefined);
    const verdict = verdictOn(acceptObjects([old, thief]), 'thief', 'old');
    assert.deepEqual(verdict?.outcome, {
      kind: 'refused',
      refusal: { reason: 'NameConflict', message: 'the name "old" belongs to ml/old' },
    });
    const half = declared('half', [declaredPreset('old', { aliases: ['z'] })], { createdAt: '2026-03-01T00:00:00Z' });
    const kept = verdictOn(acceptObjects([old, half]), 'half', 'old')?.outcome;
    assert.equal(kept?.kind, 'accepted');
    assert.deepEqual([kept.preset.model, kept.preset.aliases], ['z', []]);
    assert.equal(kept.template.settings.model, 'old');
  });

  it('are granted also to a preset that is refused for something else', () => {
    const acceptance = acceptObjects([declared('a', [declaredPreset('a', { engine: {} })])]);
    assert.deepEqual(verdictOn(acceptance, 'a')?.granted, ['a']);
  });

  it('of an object that is being deleted or that another controller runs are free', () => {
    const gone = { ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    assert.deepEqual(verdictOn(acceptObjects([gone, late]), 'late')?.granted, ['late', 'x']);
    const theirs = declared('old', [declaredPreset('old', { aliases: ['x'] })], { pool: 'theirs' });
    const pools = [declaredPool(), declaredPool('theirs', { controllerName: 'example.com/other' })];
    const acceptance = acceptObjects([theirs, late], { pools });
    assert.deepEqual(verdictOn(acceptance, 'late')?.granted, ['late', 'x']);
    assert.equal(verdictOn(acceptance, 'old'), undefined, 'it gets neither a status nor pods');
    assert.deepEqual(
      acceptance.pools.map(({ name }) => name),
      ['default'],
    );
  });
});

test('an object that the schema of this version refuses is reported with the field, and nothing of it is made up', () => {
  const wrong = declared('a', [declaredPreset('a', { queue: { maxWaiting: 'many' } })]);
  const acceptance = acceptObjects([wrong]);
  const [verdict] = acceptance.verdicts;
  assert.deepEqual(verdict?.presets, []);
  const { decoded } = verdict.deployment;
  assert.equal(decoded.kind, 'invalid');
  assert.match(decoded.message, /^spec\.presets\[0\]\.queue\.maxWaiting: must be a whole number/u);
  assert.deepEqual(catalogOf(acceptance).presets, []);
});

test('a secret that stands where it does not belong is not repeated in the complaint', () => {
  const wrong = declared('a', [declaredPreset('a', { env: [{ name: 'TOKEN', value: 7_654_321 }] })]);
  const decoded = acceptObjects([wrong]).verdicts[0]?.deployment.decoded;
  assert.equal(decoded?.kind, 'invalid');
  assert.doesNotMatch(decoded.message, /7654321/u);
});
