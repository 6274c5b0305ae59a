import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATION, LABEL } from '../api/cluster/pod-marks.ts';
import { EDGE_REPORTS, MODEL_DEPLOYMENTS, MODEL_POOLS, PODS } from '../api/cluster/resources.ts';
import { readPath } from '../api/field-path.ts';
import type { JsonObject } from '../domain/json.ts';
import { instant, minutes } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { aDeployment, aModelPod } from '../testing/cluster-objects.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import {
  creations,
  declare,
  gateOf,
  namesOf,
  phaseIs,
  presetIs,
  report,
  setCapacity,
  startBed,
  startLoaded,
  startOperator,
  statusOf,
  type OperatorBed,
} from '../testing/operator-bed.ts';

type Metadata = JsonObject & { readonly labels?: JsonObject; readonly annotations?: JsonObject };

const metaOf = (object: JsonObject): Metadata => object['metadata'] as Metadata;

/** With other labels, or without those that are `null`. */
const withLabels = (pod: JsonObject, labels: JsonObject): JsonObject => ({
  spec: {},
  ...pod,
  metadata: { ...metaOf(pod), labels: { ...metaOf(pod).labels, ...labels } },
});

const podOf = (server: FakeApiServer, name: string): KubeObject => {
  const pod = server.objects(PODS).find(({ metadata }) => metadata.ownerReferences?.[0]?.name === name);
  assert.ok(pod !== undefined, `a pod of ${name}`);
  return pod;
};

const now = (server: FakeApiServer, { metadata: { name } }: KubeObject): KubeObject | undefined =>
  server.find(PODS, 'ml', name);

/** Somebody changes the metadata of a pod. */
const meddle = (server: FakeApiServer, { metadata }: KubeObject, change: (metadata: Metadata) => JsonObject): void => {
  const ref = { namespace: 'ml', name: metadata.name };
  server.edit(PODS, ref, (pod) => ({ ...pod, metadata: { ...metaOf(pod), ...change(metaOf(pod)) } }));
};

const without = (texts: JsonObject = {}, key: string): JsonObject =>
  Object.fromEntries(Object.entries(texts).filter(([name]) => name !== key));

/** Calls that change pods. */
const podWrites = ({ requests }: FakeApiServer): readonly string[] =>
  requests
    .filter(({ verb, resource }) => resource.plural === 'pods' && ['patch', 'delete', 'update'].includes(verb))
    .map(({ verb, name }) => `${verb} ${name}`);

/** The bed of an operator whose minutes pass when the test says so. */
function withClock(bed: OperatorBed): { readonly bed: OperatorBed; readonly pass: () => void } {
  let passed = 0;
  const timers = { ...bed.timers, now: () => instant(bed.timers.now() + passed) };
  const pass = (): void => {
    passed += minutes(1);
  };
  return { bed: { ...bed, timers }, pass };
}

describe('a pod of Corral from which somebody takes', () => {
  for (const key of Object.values(LABEL)) {
    it(`the label ${key} gets it back, and holds its place meanwhile`, async (t) => {
      const bed = await startBed(t);
      const { server } = bed;
      declare(server, 'b');
      await startLoaded(t, bed);
      report(server, { models: { a: { inFlight: 1 }, b: { waiting: 1 } } });
      const pod = podOf(server, 'a');
      const looks = server.hold({ verb: 'get', plural: 'pods' });
      meddle(server, pod, ({ labels }) => ({ labels: without(labels, key) }));
      await server.until(() => looks.arrived === 1);
      assert.ok(!phaseIs(server, 'b', 'Loading')(), 'its place is not free');
      looks.release();
      await server.until(() => now(server, pod)?.metadata.labels?.[key] !== undefined);
      await server.until(phaseIs(server, 'a', 'Ready'));
      assert.deepEqual(now(server, pod)?.metadata.labels, pod.metadata.labels);
      assert.deepEqual([creations(server), now(server, pod)?.metadata.uid], [['a'], pod.metadata.uid]);
    });
  }

  it('any of its annotations but the gate gets it back, and is neither replaced nor forgotten by its pool', async (t) => {
    const { bed, pass } = withClock(await startBed(t));
    const { server } = bed;
    declare(server, 'b');
    await startLoaded(t, bed);
    report(server, { models: { a: { inFlight: 1 }, b: { waiting: 1 } } });
    const pod = podOf(server, 'a');
    const { gate, drainCause, drainFor, ...kept } = ANNOTATION;
    assert.equal(new Set([gate, drainCause, drainFor]).size, 3);
    for (const key of Object.values(kept)) {
      meddle(server, pod, ({ annotations }) => ({ annotations: { ...annotations, [key]: 'nonsense' } }));
      await server.until(() => now(server, pod)?.metadata.annotations?.[key] === pod.metadata.annotations?.[key]);
      pass();
    }
    assert.deepEqual(now(server, pod)?.metadata.annotations, pod.metadata.annotations);
    assert.deepEqual([creations(server), namesOf(server)], [['a'], ['a']]);
  });

  it('its owner gets it back, while that is there', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    await startLoaded(t, bed);
    const pod = podOf(server, 'a');
    meddle(server, pod, () => ({ ownerReferences: [] }));
    await server.until(() => (now(server, pod)?.metadata.ownerReferences ?? []).length === 1);
    assert.deepEqual(now(server, pod)?.metadata.ownerReferences, pod.metadata.ownerReferences);
    await server.until(phaseIs(server, 'a', 'Ready'));
    assert.deepEqual(creations(server), ['a']);
  });

  it('its owner, and gives it another, is let go: nothing is written to it, and it holds no place', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'b');
    await startLoaded(t, bed);
    const pod = podOf(server, 'a');
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'x', controller: true };
    meddle(server, pod, () => ({ ownerReferences: [owner] }));
    report(server, { models: { b: { waiting: 1 } } });
    await server.until(phaseIs(server, 'b', 'Ready'));
    assert.deepEqual(podWrites(server), []);
    assert.equal(now(server, pod)?.metadata.deletionTimestamp, undefined);
  });
});

describe('a ModelDeployment that is deleted with --cascade=orphan', () => {
  /** As the API server does: from then on its pods lose their owner, and at last it goes. */
  const orphan = async ({ server, api }: OperatorBed): Promise<void> => {
    const ref = { namespace: 'ml', name: 'a' };
    server.edit(MODEL_DEPLOYMENTS, ref, (object) => ({
      ...object,
      metadata: { ...metaOf(object), finalizers: ['orphan'] },
    }));
    await api.delete(MODEL_DEPLOYMENTS, ref, {
      uid: 'a-uid',
      resourceVersion: undefined,
      gracePeriodSeconds: undefined,
    });
  };
  const letGo = (server: FakeApiServer, pod: KubeObject): void => {
    meddle(server, pod, () => ({ ownerReferences: [] }));
    server.finishDeletion('a-uid');
  };

  const poolHas = (server: FakeApiServer, loaded: number) => (): boolean =>
    readPath(server.find(MODEL_POOLS, undefined, 'default'), ['status', 'loaded']) === loaded;

  for (const isHeard of [true, false]) {
    it(`leaves its pods as they are, whichever is told first (the ModelDeployment: ${String(isHeard)})`, async (t) => {
      const bed = await startBed(t);
      const { server } = bed;
      declare(server, 'b');
      await startLoaded(t, bed);
      const pod = podOf(server, 'a');
      await server.until(poolHas(server, 1));
      if (!isHeard) server.conceal('a');
      await orphan(bed);
      // Until it has heard of it, the operator may let the model leave for another, as any idle one.
      if (isHeard) await server.until(poolHas(server, 0));
      // An edge that is there confirms every gate: were it closed, the pod would go.
      report(server, { models: { b: { waiting: 1 } }, acks: [{ podUid: pod.metadata.uid, epoch: 1 }] });
      if (isHeard) await server.until(phaseIs(server, 'b', 'Ready'));
      letGo(server, pod);
      await server.until(phaseIs(server, 'b', 'Ready'));
      assert.deepEqual(creations(server), ['a', 'b']);
      const left = now(server, pod);
      assert.deepEqual([gateOf(left), left?.metadata.deletionTimestamp], ['open/0', undefined]);
    });
  }
});

describe('a pod that Corral has not made', () => {
  it('is a replica if it says so and a ModelDeployment controls it, and goes if it is one too many', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    await startLoaded(t, bed);
    const pod = podOf(server, 'a');
    const copy = { ...pod, metadata: { ...pod.metadata, name: 'copy', uid: 'copy-uid' } };
    // What the fake API server has was put there as JSON; its type for readers says less.
    server.put(PODS, copy as unknown as JsonObject);
    report(server, { models: { a: {} } });
    const closed = (): KubeObject[] => server.objects(PODS).filter((pod) => gateOf(pod) === 'closed/1');
    await server.until(() => closed().length === 1);
    report(server, { models: { a: {} }, acks: closed().map((pod) => ({ podUid: pod.metadata.uid, epoch: 1 })) });
    await server.until(presetIs(server, 'a', { replicas: 1, readyReplicas: 1 }));
  });
});

describe('a ModelDeployment that is made anew under its name', () => {
  it('inherits neither failures nor pods, and waits for the place of the old pod', async (t) => {
    const bed = await startBed(t);
    const { server, kubelet } = bed;
    declare(server, 'a', { env: [{ name: 'FAKE', value: 'exit' }] });
    report(server, { models: { a: { waiting: 1 } } });
    await startOperator(t, bed);
    await server.until(presetIs(server, 'a', { phase: 'Failed', failures: 1 }));
    const letGo = kubelet.holdEnds();
    server.finishDeletion('a-uid');
    const { metadata, spec, status } = aDeployment('a', { env: [{ name: 'FAKE', value: 'ready' }] });
    const [preset] = (status as { readonly presets: readonly JsonObject[] }).presets;
    const presets = [{ ...preset, uid: 'second-uid' }];
    server.put(MODEL_DEPLOYMENTS, {
      ...{ apiVersion: 'corral.dev/v1alpha1', kind: 'ModelDeployment', spec },
      metadata: { ...(metadata as JsonObject), uid: 'second-uid' },
      status: { observedGeneration: 1, presets },
    } as JsonObject);
    letGo();
    server.put(EDGE_REPORTS, anotherWaits('second-uid'));
    await server.until(presetIs(server, 'a', { phase: 'Ready' }));
    assert.deepEqual(['failures', 'lastFailure'].map((field) => readPath(statusOf(server, 'a'), [field])), [undefined, undefined]); // prettier-ignore
    assert.equal(podOf(server, 'a').metadata.ownerReferences?.[0]?.uid, 'second-uid');
  });

  const anotherWaits = (deploymentUid: string): JsonObject => ({
    metadata: { name: 'edge-1', namespace: 'corral-system' },
    report: {
      edge: { podName: 'edge-1', podUid: 'edge-1-pod' },
      ...{ bootId: 'boot-1', sequence: 1000, replicas: [], acks: [], orders: [] },
      models: [
        {
          ...{ deploymentUid, preset: 'a', inFlight: 0, waiting: 1 },
          ...{ oldestWaitSeconds: 0, startedTotal: 0, finishedTotal: 0 },
        },
      ],
    },
  });
});

describe('a namespace that is deleted', () => {
  it('takes pods and ModelDeployments with it in any order: what the API server refuses then is not tried over and over', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    await startLoaded(t, bed);
    const words = 'unable to create new content in namespace ml because it is being terminated';
    const inA = ({ body }: { readonly body: unknown }): boolean =>
      readPath(body, ['metadata', 'labels', LABEL.preset]) === 'a';
    const fault = { kind: 'status', status: 403, reason: 'Forbidden', message: words } as const;
    server.fail({ verb: 'create', plural: 'pods', where: inA }, fault, 1000);
    server.finishDeletion(podOf(server, 'a').metadata.uid);
    await server.until(presetIs(server, 'a', { phase: 'Failed', reason: 'CreateRefused' }));
    server.finishDeletion('a-uid');
    declare(server, 'b');
    report(server, { models: { a: { waiting: 1 }, b: { waiting: 1 } } });
    await server.until(phaseIs(server, 'b', 'Ready'));
    assert.deepEqual(creations(server), ['a', 'a', 'b']);
  });
});

describe('what an older Corral has left', () => {
  it('holds its place and is replaced if it was made otherwise; marks that nobody knows stay', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'a');
    const marks = { 'corral.dev/from-before': 'x' };
    server.put(PODS, { spec: {}, ...aModelPod('a', { ip: '192.0.2.9', annotations: marks }) });
    report(server, { models: { a: {} } });
    await startOperator(t, bed);
    const old = (): KubeObject | undefined => server.find(PODS, 'ml', 'a-pod');
    await server.until(() => gateOf(old()) === 'closed/1');
    assert.equal(old()?.metadata.annotations?.['corral.dev/from-before'], 'x');
    assert.deepEqual(creations(server), [], 'the pool has room for one');
    report(server, { models: { a: { waiting: 1 } }, acks: [{ podUid: 'a-pod', epoch: 1 }] });
    await server.until(presetIs(server, 'a', { phase: 'Ready' }));
    assert.deepEqual([creations(server), old()], [['a'], undefined]);
  });

  it('of which an EdgeReport cannot be read: nothing is stopped until that edge is another', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    declare(server, 'b');
    await startLoaded(t, bed);
    server.put(EDGE_REPORTS, { metadata: { name: 'edge-0', namespace: 'corral-system' }, report: { version: 'v0' } });
    report(server, { models: { a: {}, b: { waiting: 1 } } });
    await server.until(presetIs(server, 'b', { phase: 'Waiting', reason: 'ActivityUnknown' }));
    assert.equal(gateOf(podOf(server, 'a')), 'open/0');
  });
});

describe('another install of Corral', () => {
  it('has its pools, ModelDeployments and pods for itself', async (t) => {
    const bed = await startBed(t);
    const { server } = bed;
    setCapacity(bed, { maxLoaded: 2 });
    const pool = { metadata: { name: 'theirs' }, spec: { controllerName: 'corral.dev/another', capacity: {} } };
    server.put(MODEL_POOLS, pool);
    const deployment = aDeployment('theirs') as JsonObject & { readonly spec: JsonObject };
    const before = [
      server.put(MODEL_DEPLOYMENTS, { ...deployment, spec: { ...deployment.spec, pool: 'theirs' }, status: {} }),
      server.put(PODS, withLabels(aModelPod('theirs', { ip: '192.0.2.9' }), { [LABEL.controller]: 'another' })),
      server.find(MODEL_POOLS, undefined, 'theirs'),
    ];
    await startLoaded(t, bed);
    declare(server, 'b');
    report(server, { models: { a: { waiting: 1 }, b: { waiting: 1 }, theirs: { waiting: 1 } } });
    await server.until(phaseIs(server, 'b', 'Ready'));
    const after = [
      server.find(MODEL_DEPLOYMENTS, 'ml', 'theirs'),
      server.find(PODS, 'ml', 'theirs-pod'),
      server.find(MODEL_POOLS, undefined, 'theirs'),
    ];
    assert.deepEqual(after, before);
    assert.equal(server.objects(PODS).length, 3);
  });
});
