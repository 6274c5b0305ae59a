import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { formatProblem } from '../../src/api/problem.ts';
import { readManifests } from '../../src/api/read-manifests.ts';
import { testSeed } from '../../src/testing/seed.ts';
import { type CorpusEntry, missingIn, readAccepted, readRefused } from '../support/manifest-corpus.ts';
import { type ApiObject, RefusedCall } from './support/api-client.ts';
import { useCluster } from './support/cluster.ts';
import type { TestCluster } from './support/test-cluster.ts';

// The same objects get the same verdict from Corral alone: test/unit/manifests.test.ts.

const CRDS = ['modeldeployments', 'modelpools', 'edgereports'].map((plural) => `${plural}.corral.dev`);
const GROUP = '/apis/corral.dev/v1alpha1';

interface CrdStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

const isEstablished = (crd: ApiObject | undefined): boolean =>
  (crd?.['status'] as CrdStatus | undefined)?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  ) === true;

describe('a real API server', { timeout: 180_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await useCluster();
    await cluster.deploy('crds/');
    for (const crd of CRDS) {
      await cluster.api.until('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd, isEstablished);
    }
  });

  /** Why the server refuses an object, in its own words; empty: it does not. Nothing is stored. */
  async function verdict(object: CorpusEntry['object']): Promise<string> {
    const path = object.kind === 'ModelPool' ? 'modelpools' : 'namespaces/default/modeldeployments';
    try {
      await cluster.api.call('POST', `${GROUP}/${path}?dryRun=All&fieldValidation=Strict`, object);
      return '';
    } catch (error) {
      if (!(error instanceof RefusedCall) || ![400, 422].includes(error.status)) throw error;
      return (JSON.parse(error.answer) as { readonly message: string }).message;
    }
  }

  /** Eight at a time. */
  async function verdicts<Entry>(
    entries: readonly Entry[],
    objectOf: (entry: Entry) => CorpusEntry['object'],
  ): Promise<(readonly [Entry, string])[]> {
    const found: (readonly [Entry, string])[] = [];
    const left = [...entries];
    const work = async (): Promise<void> => {
      for (let entry = left.shift(); entry !== undefined; entry = left.shift()) {
        found.push([entry, await verdict(objectOf(entry))]);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    return found;
  }

  it('accepts every object that Corral accepts', async () => {
    const found = await verdicts(readAccepted(), ({ object }) => object);
    assert.deepEqual(
      found.filter(([, said]) => said !== '').map(([{ title }, said]) => `${title}: ${said}`),
      [],
    );
  });

  it('refuses every object that Corral refuses, for the same field and with the same reason', async () => {
    const found = await verdicts(readRefused(), ({ object }) => object);
    const wrong = found.flatMap(([entry, said]) => {
      const missing = missingIn(entry, said);
      return missing.length === 0 ? [] : [`${entry.title}: ${missing.join(' and ')} is missing in: ${said}`];
    });
    assert.deepEqual(wrong, []);
  });

  it('gives any text in any of these fields the verdict that Corral gives it', async () => {
    const samples = fc.sample(candidate, { numRuns: 400, seed: testSeed() });
    const found = await verdicts(samples, objectWith);
    const differ = found.filter(([sample, said]) => (said === '') !== (corralSays(objectWith(sample)) === ''));
    assert.deepEqual(
      differ.map(([sample, said]) => ({ sample, server: said, corral: corralSays(objectWith(sample)) })),
      [],
    );
    const accepted = found.filter(([, said]) => said === '').length;
    assert.ok(accepted > 40 && accepted < 360, `${accepted} of ${found.length} were accepted`);
  });

  it('takes what an edge reports, and nothing that an edge cannot mean', async () => {
    const reports = `${GROUP}/namespaces/default/edgereports?dryRun=All&fieldValidation=Strict`;
    const preset = { deploymentUid: 'd', preset: 'a' };
    const counts = {
      inFlight: 1,
      waiting: 2,
      oldestWaitSeconds: 0.25,
      startedTotal: 3,
      finishedTotal: 2,
      idleSeconds: 0,
    };
    const report = {
      edge: { podName: 'edge-1', podUid: 'e' },
      bootId: 'b',
      sequence: 7,
      models: [{ ...preset, ...counts }],
      replicas: [{ podUid: 'p', inFlight: 1 }],
      acks: [{ podUid: 'p', epoch: 4 }],
      orders: [{ id: 'o', kind: 'Unload', ...preset, podUids: ['p'] }],
    };
    const object = { apiVersion: 'corral.dev/v1alpha1', kind: 'EdgeReport', metadata: { name: 'edge-1' } };
    const post = async (body: object): Promise<unknown> => cluster.api.call('POST', reports, { ...object, ...body });
    await post({ report });
    await assert.rejects(post({ report: { ...report, sequence: -1 } }), /report\.sequence/u);
    await assert.rejects(
      post({ report: { ...report, orders: [{ ...report.orders[0], kind: 'Kill' }] } }),
      /orders\[0\]\.kind/u,
    );
    await assert.rejects(post({ report, status: {} }), /unknown field .*status/u);
    await assert.rejects(post({}), /report: Required value/u);
  });

  it('lets nobody change whose pool a pool is', async (t) => {
    const pools = `${GROUP}/modelpools`;
    const name = 'immutable';
    const spec = { controllerName: 'example.com/other' };
    const pool = { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelPool', metadata: { name }, spec };
    await cluster.api.call('POST', pools, pool);
    t.after(async () => cluster.api.call('DELETE', `${pools}/${name}`));
    const patch = async (controllerName: string | null): Promise<unknown> =>
      cluster.api.call('PATCH', `${pools}/${name}`, { spec: { controllerName } });
    await assert.rejects(patch('corral.dev/operator'), /spec\.controllerName.*the field is immutable/u);
    await assert.rejects(patch(null), /spec\.controllerName.*the field is immutable/u);
    await patch('example.com/other');
  });
});

interface Candidate {
  readonly field: 'idleTimeout' | 'loadTimeout' | 'model' | 'claim' | 'argument' | 'variable' | 'quantity' | 'capacity';
  readonly text: string;
}

/** Texts that are near the border: made of what matters to the rule. */
const near = (...parts: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((chosen) => chosen.join(''));

const DURATIONS = near('0', '1', '15', '480', '999999', '.', '5', 'h', 'm', 's', 'ms', 'h', 'm', 's', '-', ' ');
const NAMES = fc.oneof(
  near('a', 'B', '/', ':', ',', ' ', '\t', '\u00a0', '\u0085', '\u2028', '\ufeff', 'é', '模', '\u0000', '😀'),
  fc.integer({ min: 120, max: 260 }).map((length) => 'aé😀'.slice(0, length % 4).padEnd(length, 'é')),
);
const ARGUMENTS = fc
  .tuple(
    fc.constantFrom('--', '-', '--no-', ''),
    fc.constantFrom('host', 'slots', 'agent', 'model', 'jinja', 'x.1', 'A'),
    near('=', 'a', ' ', '\n', '\u0000', 's'),
  )
  .map((parts) => parts.join(''));
const VARIABLES = fc
  .tuple(
    fc.constantFrom('LLAMA_ARG_', 'LLAMA_SERVER_', 'LLAMA_', 'AIP_', '', '1'),
    fc.constantFrom('HOST', 'PORT', 'MODEL', 'CTX_SIZE', 'API_KEY', 'POD_IP', 'a-b', ''),
  )
  .map((parts) => parts.join(''));

const candidate: fc.Arbitrary<Candidate> = fc.oneof(
  fc.record({ field: fc.constantFrom('idleTimeout' as const, 'loadTimeout' as const), text: DURATIONS }),
  fc.record({ field: fc.constant('model' as const), text: NAMES }),
  fc.record({ field: fc.constant('claim' as const), text: near('a', '/', '.', '..', ' ', '\u0000', 'é') }),
  fc.record({ field: fc.constant('argument' as const), text: ARGUMENTS }),
  fc.record({ field: fc.constant('variable' as const), text: VARIABLES }),
  fc.record({
    field: fc.constantFrom('quantity' as const, 'capacity' as const),
    text: near('1', '0', '0.5', '.', 'm', 'Gi', 'G', 'e3', 'E', '-', ' '),
  }),
);

const MEMBERS: Readonly<Record<Exclude<Candidate['field'], 'capacity'>, (text: string) => object>> = {
  idleTimeout: (idleTimeout) => ({ scaling: { idleTimeout } }),
  loadTimeout: (loadTimeout) => ({ scaling: { loadTimeout } }),
  model: (model) => ({ model }),
  claim: (path) => ({ source: { persistentVolumeClaim: { claimName: 'a', path } } }),
  argument: (argument) => ({ args: [argument] }),
  variable: (name) => ({ env: [{ name, value: '' }] }),
  quantity: (cpu) => ({ resources: { limits: { cpu } }, footprint: { cpu } }),
};

const poolWith = (cpu: string): CorpusEntry['object'] => {
  const object = { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelPool', metadata: { name: 'sample' } };
  return { ...object, spec: { capacity: { resources: { cpu } } } } as CorpusEntry['object'];
};

const objectWith = ({ field, text }: Candidate): CorpusEntry['object'] => {
  if (field === 'capacity') return poolWith(text);
  const preset = { name: 'a', source: { path: '/a.gguf' }, ...MEMBERS[field](text) };
  const object = { apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', metadata: { name: 'sample' } };
  return { ...object, spec: { presets: [preset] } } as CorpusEntry['object'];
};

const corralSays = (object: CorpusEntry['object']): string =>
  readManifests(stringify(object), 'sample').problems.map(formatProblem).join('\n');
