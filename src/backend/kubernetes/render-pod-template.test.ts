import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import type { PodSettings } from '../../api/cluster/pod-settings.ts';
import { minutes } from '../../domain/units.ts';
import { testSeed } from '../../testing/seed.ts';
import { aPodSettings, anIdentity, templateOf } from '../../testing/pod-settings.ts';
import { renderPod, renderPodTemplate } from './render-pod-template.ts';

/** `CORRAL_UPDATE_GOLDEN=1 node --test src/backend/kubernetes/render-pod-template.test.ts` writes them anew. */
const GOLDEN = join(import.meta.dirname, '../../../test/golden/pods');
const isUpdate = process.env['CORRAL_UPDATE_GOLDEN'] === '1';
const PREFIX = '/corral-00112233445566778899aabbccddeeff';

const huggingFace = { kind: 'huggingFace', repo: 'Qwen/Qwen3-8B-GGUF', quant: 'Q4_K_M' } as const;

const SETTINGS: ReadonlyMap<string, PodSettings> = new Map([
  ['path', aPodSettings()],
  [
    'persistent-volume-claim',
    aPodSettings({ source: { kind: 'persistentVolumeClaim', claimName: 'models', path: 'qwen/q4.gguf' } }),
  ],
  ['hugging-face', aPodSettings({ source: { ...huggingFace, tokenSecretRef: undefined } })],
  [
    'hugging-face-with-token-and-own-cache',
    aPodSettings({
      source: { ...huggingFace, quant: undefined, tokenSecretRef: { name: 'hf', key: 'token' } },
      env: [{ name: 'LLAMA_CACHE', value: '/cache' }],
      pod: {
        volumes: [{ name: 'cache', persistentVolumeClaim: { claimName: 'cache' } }],
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
      },
    }),
  ],
  [
    'files',
    aPodSettings({
      source: { kind: 'persistentVolumeClaim', claimName: 'models', path: 'qwen/q4.gguf' },
      files: [
        { arg: 'mmproj', source: { kind: 'persistentVolumeClaim', claimName: 'models', path: 'qwen/mmproj.gguf' } },
        { arg: 'lora', source: { kind: 'persistentVolumeClaim', claimName: 'adapters', path: 'a,$(HOME).gguf' } },
        { arg: 'model-draft', source: { ...huggingFace, tokenSecretRef: undefined } },
        { arg: 'lora', source: { kind: 'path', path: '/models/b.gguf' } },
        { arg: 'lora', source: { kind: 'persistentVolumeClaim', claimName: 'adapters', path: 'c.gguf' } },
      ],
    }),
  ],
  [
    'image',
    aPodSettings({
      source: { kind: 'image', reference: 'example.com/models/qwen3:8b', path: 'q4.gguf' },
      files: [
        { arg: 'mmproj', source: { kind: 'image', reference: 'example.com/models/qwen3:8b', path: 'mmproj.gguf' } },
        { arg: 'lora', source: { kind: 'image', reference: 'example.com/adapters@sha256:00', path: 'a/b.gguf' } },
      ],
      pod: { imagePullSecrets: [{ name: 'registry' }] },
    }),
  ],
  [
    'url',
    aPodSettings({
      source: { kind: 'url', url: 'https://example.com/q4.gguf?token=$(HOME)', sha256: '0'.repeat(64) },
      files: [
        { arg: 'lora', source: { kind: 'url', url: 'https://example.com/a.gguf', sha256: undefined } },
        { arg: 'lora', source: { kind: 'url', url: 'https://example.com/a.gguf', sha256: undefined } },
      ],
      env: [{ name: 'LLAMA_CACHE', value: '/cache' }],
      resources: { limits: { 'nvidia.com/gpu': 1, memory: '9Gi' } },
      pod: {
        initContainers: [{ name: 'prepare', image: 'busybox:1' }],
        sidecars: [{ name: 'proxy', image: 'proxy:1' }],
        envFrom: [{ configMapRef: { name: 'proxies' } }],
        volumes: [{ name: 'cache', persistentVolumeClaim: { claimName: 'cache' } }],
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
      },
    }),
  ],
  [
    'options-and-variables',
    aPodSettings({
      model: 'Org/Model:Q4 $(HOME)',
      args: ['--ctx-size', '8192', '--threads-http', '9', '--chat-template', '$(POD_IP) $$x $'],
      env: [
        { name: 'PLAIN', value: '$(PATH)' },
        { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
      pod: { envFrom: [{ configMapRef: { name: 'more' } }] },
    }),
  ],
  [
    'gpu-and-placement',
    aPodSettings({
      resources: { limits: { 'nvidia.com/gpu': 1, memory: '9Gi' }, requests: { cpu: '500m' } },
      pod: {
        labels: { team: 'search' },
        annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
        nodeSelector: { gpu: 'a100' },
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
        runtimeClassName: 'nvidia',
        priorityClassName: 'high',
        schedulerName: 'volcano',
        imagePullSecrets: [{ name: 'registry' }],
        resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }],
      },
    }),
  ],
  [
    'containers-and-security',
    aPodSettings({
      pod: {
        securityContext: { runAsUser: 1000, supplementalGroups: [44] },
        initContainers: [{ name: 'fetch', image: 'busybox:1', command: ['true'] }],
        sidecars: [{ name: 'proxy', image: 'proxy:1', securityContext: { allowPrivilegeEscalation: true } }],
      },
    }),
  ],
  [
    'long-names',
    aPodSettings({
      owner: { namespace: 'ml', name: `${'deployment.'.repeat(8)}x`, uid: 'u' },
      preset: `${'p'.repeat(47)}-${'q'.repeat(15)}`,
      pool: `${'pool.'.repeat(20)}x`,
    }),
  ],
]);

const FOOTPRINT = new Map([
  ['vram', 9 * 2 ** 30 * 1000],
  ['example.com/share', 500],
]);

describe('a rendered pod', () => {
  for (const [name, settings] of SETTINGS) {
    it(`of ${name} is what test/golden/pods/${name}.yaml says`, () => {
      const pod = renderPod(templateOf(settings), anIdentity({ prefix: PREFIX, footprint: FOOTPRINT }));
      const file = join(GOLDEN, `${name}.yaml`);
      if (isUpdate)
        writeFileSync(file, stringify(pod, { singleQuote: true, lineWidth: 0, aliasDuplicateObjects: false }));
      assert.deepEqual(pod, parse(readFileSync(file, 'utf8')));
    });
  }
  it('has no golden file that nobody compares', () => {
    const files = readdirSync(GOLDEN).map((file) => basename(file, '.yaml'));
    assert.deepEqual(files.toSorted(), [...SETTINGS.keys()].toSorted());
  });
  it('passes every argument on as it is written, whatever the kubelet expands', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '(', ')', 'POD_IP', 'a') });
    fc.assert(
      fc.property(fc.array(text), text, (args, model) => {
        const pod = JSON.stringify(
          renderPod(templateOf(aPodSettings({ args, model })), anIdentity({ slot: 0, prefix: PREFIX })),
        );
        const expanded = containerArgs(JSON.parse(pod) as RenderedArgs).map(expand);
        assert.deepEqual(expanded.slice(2, 2 + args.length), args);
        assert.equal(expanded[expanded.indexOf('--alias', 2 + args.length) + 1], model);
        assert.ok(expanded.includes('10.0.0.9'));
      }),
      { seed: testSeed() },
    );
  });
  it('has a name and labels that Kubernetes takes, other ones for other presets and lives', () => {
    const names = [aPodSettings(), aPodSettings({ preset: 'other' }), aPodSettings({ owner: owned('2') })].map(
      (settings) => templateOf(settings).baseName,
    );
    assert.equal(new Set(names).size, 3);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/u), fc.nat(999), (preset, slot) => {
        const pod = renderPod(templateOf(aPodSettings({ preset })), anIdentity({ slot, prefix: PREFIX }));
        assert.match(pod.metadata.name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/u);
      }),
      { seed: testSeed() },
    );
  });
});

const owned = (uid: string): PodSettings['owner'] => ({ namespace: 'ml', name: 'chat', uid });

interface RenderedArgs {
  readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
}

const containerArgs = ({ spec }: RenderedArgs): readonly string[] => spec.containers.flatMap(({ args }) => args);

/** As k8s.io/kubernetes, third_party/forked/golang/expansion, with one variable. */
const expand = (text: string): string =>
  text.replaceAll(/\$\$|\$\((?<name>[^)]*)\)/gu, (found: string, name: string | undefined) => {
    if (found === '$$') return '$';
    return name === 'POD_IP' ? '10.0.0.9' : found;
  });

describe('the hash of what is rendered', () => {
  const hash = (overrides: Partial<PodSettings>): string => templateOf(aPodSettings(overrides)).rendered;
  it('does not depend on the order of keys, nor on what only decides when it runs', () => {
    const pod = { labels: { a: '1', b: '2' } };
    assert.equal(hash({ pod }), hash({ pod: { labels: { b: '2', a: '1' } } }));
    const { provisionTimeout, loadTimeout } = aPodSettings();
    assert.equal(hash({ provisionTimeout: loadTimeout, loadTimeout: provisionTimeout }), hash({}));
    assert.equal(hash({ drainTimeout: minutes(5) }), hash({}), 'pods that run keep their grace');
  });
  it('changes with everything that the pod is made of', () => {
    const hashes = [...SETTINGS.values()].map((settings) => templateOf(settings).rendered);
    assert.equal(new Set([...hashes, hash({ image: 'other' })]).size, SETTINGS.size + 1);
  });
  it('is not that of what it serves, which is source and name alone', () => {
    const serves = (overrides: Partial<PodSettings>): string => templateOf(aPodSettings(overrides)).serves;
    assert.equal(serves({ args: ['--jinja'], image: 'other' }), serves({}));
    assert.notEqual(serves({ source: { kind: 'path', path: '/other.gguf' } }), serves({}));
    assert.notEqual(serves({ model: 'other' }), serves({}));
    const ofUrl = (url: string, sha256?: string): string => serves({ source: { kind: 'url', url, sha256 } });
    assert.notEqual(ofUrl('https://a/x'), ofUrl('https://b/x'));
    assert.notEqual(ofUrl('https://a/x', '0'), ofUrl('https://a/x', '1'));
    assert.equal(ofUrl('https://a/x', '0'), ofUrl('https://b/x', '0'), 'the same bytes from elsewhere');
  });
});

describe('a pod part that sets what is Corral’s', () => {
  const CASES: readonly (readonly [string, Partial<PodSettings>])[] = [
    ['pod.labels["corral.dev/preset"]', { pod: { labels: { 'corral.dev/preset': 'x' } } }],
    ['pod.labels["app.kubernetes.io/name"]', { pod: { labels: { 'app.kubernetes.io/name': 'x' } } }],
    ['pod.annotations["corral.dev/gate"]', { pod: { annotations: { 'corral.dev/gate': 'open/9' } } }],
    ['pod.volumes[1]', { pod: { volumes: [{ name: 'a' }, { name: 'corral-tmp' }] } }],
    ['pod.volumeMounts[0]', { pod: { volumeMounts: [{ name: 'a', mountPath: '/tmp/' }] } }],
    ['pod.volumeMounts[0]', { pod: { volumeMounts: [{ name: 'a', mountPath: '/corral/model' }] } }],
    ['pod.initContainers[0]', { pod: { initContainers: [{ name: 'llama-server' }] } }],
    ['pod.initContainers[0]', { pod: { initContainers: [{ name: 'corral-fetch-model' }] } }],
    ['source.url', { source: { kind: 'url', url: 'https://a/b-00001-of-00002.gguf?x', sha256: undefined } }],
    [
      'files[0].source.url',
      { files: [{ arg: 'lora', source: { kind: 'url', url: 'https://a/b-00001-of-00002.gguf', sha256: undefined } }] },
    ],
    ['pod.sidecars[0]', { pod: { sidecars: [{ name: 'llama-server' }] } }],
    ['pod.sidecars[0]', { pod: { sidecars: [{ name: 'a', restartPolicy: 'Never' }] } }],
    ['env["POD_IP"]', { env: [{ name: 'POD_IP', value: '1' }] }],
    [
      'env["HF_TOKEN"]',
      {
        source: { ...huggingFace, tokenSecretRef: { name: 'hf', key: 'token' } },
        env: [{ name: 'HF_TOKEN', value: '1' }],
      },
    ],
  ];
  for (const [field, overrides] of CASES) {
    it(`is InvalidPod, and the message names ${field} of ${JSON.stringify(overrides)}`, () => {
      const result = renderPodTemplate(aPodSettings(overrides));
      assert.ok(!result.ok);
      assert.equal(result.reason, 'InvalidPod');
      assert.ok(result.message.startsWith(`${field}: `), result.message);
    });
  }
});
