import type { TestContext } from 'node:test';
import { EDGE_REPORTS, MODEL_DEPLOYMENTS, MODEL_POOLS, NAMESPACES, PODS } from '../api/cluster/resources.ts';
import { readMember, readPath } from '../api/field-path.ts';
import type { JsonObject } from '../domain/json.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Timers } from '../kube/timers.ts';
import { Operator, type OperatorParts } from '../operator/operator.ts';
import { monotonicNow, wakeIn } from '../platform/clock.ts';
import { aDeployment, aModelPool } from './cluster-objects.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { FakeKubelet } from './fake-kubelet.ts';
import { keptLog, startKube, unseen, type KubeBed } from './kube-testbed.ts';

/** A fake API server with a kubelet, a namespace `ml`, and a pool `default` for one model. */
export interface OperatorBed extends KubeBed {
  readonly kubelet: FakeKubelet;
  readonly timers: Timers;
}

export async function startBed(t: TestContext): Promise<OperatorBed> {
  const timers = { now: monotonicNow, wakeIn, random: () => 0.5 };
  const bed = await startKube(t, { timers });
  const kubelet = new FakeKubelet(bed.server);
  kubelet.run();
  t.after(() => {
    kubelet.stop();
  });
  bed.server.put(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ml' } });
  bed.server.put(MODEL_POOLS, aModelPool({ capacity: { maxLoaded: 1 }, defaults: { engine: { image: 'llama:1' } } }));
  return { ...bed, kubelet, timers };
}

/** An operator that plans. It ends with the test. */
export async function startOperator(
  t: TestContext,
  { api, timers }: OperatorBed,
  lookAt: OperatorParts['lookAt'] = unseen,
): Promise<Operator> {
  const wallNow = (): number => Date.UTC(2026, 0, 1);
  const operator = new Operator({ api, timers, lookAt, wallNow, instance: 'operator-1', nonce: 'ab', log: keptLog() });
  t.after(async () => operator.stop());
  await operator.lead();
  return operator;
}

/** A preset whose llama-server is ready at once. */
export const declare = (server: FakeApiServer, name: string, more: JsonObject = {}): KubeObject =>
  server.put(MODEL_DEPLOYMENTS, aDeployment(name, { env: [{ name: 'FAKE', value: 'ready' }], ...more }));

export interface ModelSaid {
  readonly waiting?: number;
  readonly inFlight?: number;
  /** At pods of these uids; at all of them unless given. */
  readonly at?: readonly string[];
  /** Since the end of the last request; 0 unless given. */
  readonly idleSeconds?: number;
}

/** What an edge reports. */
export interface Said {
  /** Of each ModelDeployment, by its name. */
  readonly models?: Readonly<Record<string, ModelSaid>>;
  readonly acks?: readonly { readonly podUid: string; readonly epoch: number }[];
  readonly orders?: readonly JsonObject[];
}

let sequence = 0;

/** The only edge writes its report: this, and who it is. */
export function putReport(server: FakeApiServer, said: JsonObject): void {
  sequence += 1;
  const edge = { podName: 'edge-1', podUid: 'edge-1-pod' };
  server.put(EDGE_REPORTS, {
    metadata: { name: 'edge-1', namespace: 'corral-system' },
    report: { edge, bootId: 'boot-1', sequence, replicas: [], acks: [], orders: [], ...said },
  });
}

/** The only edge says so. */
export function report(server: FakeApiServer, { models = {}, acks = [], orders = [] }: Said): void {
  const replicas = server.objects(PODS).flatMap(({ metadata }) => {
    const owner = metadata.ownerReferences?.[0]?.name;
    const { inFlight, at = [metadata.uid] } = (owner === undefined ? undefined : models[owner]) ?? {};
    return inFlight === undefined || !at.includes(metadata.uid) ? [] : [{ podUid: metadata.uid, inFlight }];
  });
  putReport(server, {
    models: Object.entries(models).map(([name, { waiting = 0, inFlight = 0, idleSeconds = 0 }]) => ({
      deploymentUid: `${name}-uid`,
      preset: name,
      inFlight,
      waiting,
      oldestWaitSeconds: 0,
      startedTotal: 1,
      finishedTotal: 1,
      ...(inFlight === 0 ? { idleSeconds } : {}),
    })),
    replicas,
    acks: [...acks],
    orders: [...orders],
  });
}

/** The presets of the pods that there are. */
export const namesOf = (server: FakeApiServer): string[] =>
  server.objects(PODS).map(({ metadata }) => String(metadata.labels?.['corral.dev/preset']));

/** The presets of the pods that were made, in their order. */
export const creations = (server: FakeApiServer): unknown[] =>
  server.requests
    .filter(({ verb, resource, query }) => verb === 'create' && resource.plural === 'pods' && !query.has('dryRun'))
    .map(({ body }) => readPath(body, ['metadata', 'labels', 'corral.dev/preset']));

/** What a ModelDeployment says of its preset. */
export const statusOf = (server: FakeApiServer, name: string): unknown =>
  readPath(server.find(MODEL_DEPLOYMENTS, 'ml', name), ['status', 'presets', 0]);

export const phaseIs = (server: FakeApiServer, name: string, phase: string) => (): boolean =>
  readMember(statusOf(server, name), 'phase') === phase;

export const gateOf = (pod: KubeObject | undefined): string | undefined =>
  pod?.metadata.annotations?.['corral.dev/gate'];

/** An operator that has loaded the model `a` for somebody who waits for it. */
export async function startLoaded(t: TestContext, bed: OperatorBed): Promise<Operator> {
  declare(bed.server, 'a');
  report(bed.server, { models: { a: { waiting: 1 } } });
  const operator = await startOperator(t, bed);
  await bed.server.until(phaseIs(bed.server, 'a', 'Ready'));
  return operator;
}

export const presetIs =
  (server: FakeApiServer, name: string, wanted: Readonly<Record<string, unknown>>) => (): boolean =>
    Object.entries(wanted).every(([field, value]) => readMember(statusOf(server, name), field) === value);

/** The pool of the bed, with this capacity. */
export const setCapacity = ({ server }: OperatorBed, capacity: JsonObject, more: JsonObject = {}): KubeObject =>
  server.put(MODEL_POOLS, aModelPool({ capacity, defaults: { engine: { image: 'llama:1' } }, ...more }));
