import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EdgeReportBody } from '../../../src/api/edge-report-schema.ts';
import { asObject, RefusedCall, type ApiClient, type ApiObject } from '../../cluster/support/api-client.ts';
import { GROUP, SYSTEM } from '../../cluster/support/corral-names.ts';
import { isClosed } from '../../cluster/support/pod-gate.ts';
import { isReady } from '../../cluster/support/test-cluster.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Mirror } from './mirror.ts';

/** A preset of a ModelDeployment. */
export interface ModelKey {
  readonly deploymentUid: string;
  readonly preset: string;
}

/** A request at the edge: it waits, then it is in flight at a pod. */
export interface PaperRequest {
  /** Whether a pod has it, or has had it. */
  readonly isStarted: () => boolean;
  /** Its client has got its answer, or has left. */
  readonly end: () => void;
}

/** What the edge has counted of one preset. */
interface Account {
  readonly key: ModelKey;
  /** Those that wait, oldest first: since when, and what a pod's uid is told to. */
  readonly waiting: { readonly since: number; readonly start: (pod: string) => void }[];
  readonly busy: Map<string, number>;
  started: number;
  finished: number;
  idleSince: number;
}

type ReportedOrder = EdgeReportBody['orders'][number];

const NAME = 'paper-edge';
/** What Corral's own namespace admits. */
export const RESTRICTED = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'edge',
      image: 'edge',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};
const GAP_MS = 50;
const RETRY_AFTER_MS = 300;
/** As a real edge does; one that is silent for longer is asked after. */
const REFRESH_MS = 8_000;

const secondsSince = (since: number): number => Math.round(performance.now() - since) / 1000;
const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
const epochOf = ({ metadata }: ApiObject): number => Number(metadata.annotations?.['corral.dev/gate']?.split('/')[1]);

/** The pods of a preset. */
export const podsOf = (pods: Mirror, { deploymentUid, preset }: ModelKey): readonly ApiObject[] =>
  pods.objects.filter(
    ({ metadata }) =>
      metadata.labels?.['corral.dev/preset'] === preset &&
      metadata.ownerReferences?.some(({ uid }) => uid === deploymentUid) === true,
  );

/** Says what an edge would say of requests that nobody sends: it waits for pods, obeys their gates and reports. */
export class PaperEdge {
  readonly #api: ApiClient;
  readonly #pods: Mirror;
  readonly #pod: ApiObject;
  readonly #accounts: Account[] = [];
  readonly #bootId = randomUUID();
  #orders: readonly ReportedOrder[] = [];
  #sequence = 0;
  /** Of the last report that was written. */
  #told = 0;
  #hasChanged = true;
  #isOver = false;
  #version: string | undefined;
  /** Pods that were being deleted while requests were in flight there. */
  readonly cut = new Set<string>();
  /** As if there were another edge that has not seen any gate closed. */
  holdsAcks = false;

  private constructor(api: ApiClient, pods: Mirror, pod: ApiObject) {
    this.#api = api;
    this.#pods = pods;
    this.#pod = pod;
  }

  /** Makes its pod, and resolves when its first report is written. */
  static async start(t: Cleanup, api: ApiClient, pods: Mirror, node: string): Promise<PaperEdge> {
    const spec = { ...RESTRICTED, nodeName: node, automountServiceAccountToken: false };
    await api.call('POST', `/api/v1/namespaces/${SYSTEM}/pods`, { metadata: { name: NAME }, spec });
    const pod = await pods.until('the pod of the edge', () =>
      pods.objects.find((one) => one.metadata.name === NAME && isReady(one)),
    );
    const edge = new PaperEdge(api, pods, pod);
    const forget = pods.onChange(() => {
      edge.#look();
    });
    await edge.#write();
    const writing = edge.#run();
    t.after(async () => {
      edge.#isOver = true;
      forget();
      await writing;
    });
    return edge;
  }

  request(key: ModelKey): PaperRequest {
    const account = this.#accountOf(key);
    let pod: string | undefined;
    const waiter = {
      since: performance.now(),
      start: (uid: string): void => {
        pod = uid;
      },
    };
    account.waiting.push(waiter);
    this.#look();
    const end = (): void => {
      if (pod === undefined) account.waiting.splice(account.waiting.indexOf(waiter), 1);
      else finish(account, pod);
      this.#hasChanged = true;
    };
    return { isStarted: () => pod !== undefined, end };
  }

  /** What a client orders, until it is done. */
  order(kind: ReportedOrder['kind'], key: ModelKey): void {
    const podUids = kind === 'Unload' ? podsOf(this.#pods, key).map(({ metadata }) => metadata.uid) : [];
    this.#orders = [...this.#orders, { id: randomBytes(8).toString('hex'), kind, ...key, podUids }];
    this.#hasChanged = true;
  }

  /** Resolves when all that there is to say now is written. */
  async untilTold(): Promise<void> {
    const said = this.#sequence;
    this.#hasChanged = true;
    while (this.#told <= said) await delay(GAP_MS / 5);
  }

  /** Nothing more is said of a ModelDeployment. */
  forget(deploymentUid: string): void {
    const kept = this.#accounts.filter(({ key }) => key.deploymentUid !== deploymentUid);
    this.#accounts.splice(0, this.#accounts.length, ...kept);
    this.#orders = this.#orders.filter((order) => order.deploymentUid !== deploymentUid);
    this.#hasChanged = true;
  }

  #accountOf(key: ModelKey): Account {
    const isSame = (one: Account): boolean =>
      one.key.deploymentUid === key.deploymentUid && one.key.preset === key.preset;
    const known = this.#accounts.find(isSame);
    if (known !== undefined) return known;
    const fresh: Account = { key, waiting: [], busy: new Map(), started: 0, finished: 0, idleSince: performance.now() };
    this.#accounts.push(fresh);
    return fresh;
  }

  /** Stops to assign, and says so, in one tick. */
  #look(): void {
    for (const account of this.#accounts) {
      const pods = podsOf(this.#pods, account.key);
      this.#noteCut(account, pods);
      const open = pods.filter((pod) => isReady(pod) && !isClosed(pod.metadata) && pod.metadata.deletionTimestamp === undefined); // prettier-ignore
      for (let pod = leastBusy(account, open); pod !== undefined && account.waiting.length > 0;) {
        begin(account, pod);
        pod = leastBusy(account, open);
      }
    }
    this.#orders = this.#orders.filter((order) => !this.#isDone(order));
    this.#hasChanged = true;
  }

  /** What was in flight at a pod that is gone has ended there. */
  #noteCut(account: Account, pods: readonly ApiObject[]): void {
    for (const [uid, count] of account.busy) {
      const pod = pods.find(({ metadata }) => metadata.uid === uid);
      if (count > 0 && (pod === undefined || pod.metadata.deletionTimestamp !== undefined)) this.cut.add(uid);
      for (let left = pod === undefined ? count : 0; left > 0; left -= 1) finish(account, uid);
    }
  }

  #isDone({ kind, podUids, ...key }: ReportedOrder): boolean {
    const pods = podsOf(this.#pods, key);
    if (kind === 'Load') return pods.some(isReady);
    return !pods.some(({ metadata }) => podUids.includes(metadata.uid));
  }

  async #run(): Promise<void> {
    let written = performance.now();
    while (!this.#isOver) {
      if (this.#hasChanged || performance.now() - written > REFRESH_MS) {
        await this.#write();
        written = performance.now();
      }
      await delay(GAP_MS);
    }
  }

  async #write(): Promise<void> {
    const collection = `${GROUP}/namespaces/${SYSTEM}/edgereports`;
    this.#hasChanged = false;
    const { name, uid } = this.#pod.metadata;
    const object = {
      ...{ apiVersion: 'corral.dev/v1alpha1', kind: 'EdgeReport', report: this.#report() },
      metadata: {
        name,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }],
        resourceVersion: this.#version,
      },
    };
    try {
      const answer =
        this.#version === undefined
          ? await this.#api.call('POST', collection, object)
          : await this.#api.call('PUT', `${collection}/${name}`, object);
      this.#version = asObject(answer).metadata.resourceVersion;
      this.#told = object.report.sequence;
    } catch (error) {
      this.#hasChanged = true;
      // The API server may be away.
      await delay(RETRY_AFTER_MS);
      if (error instanceof RefusedCall && error.status !== 409 && error.status < 429) throw error;
      this.#version = (await this.#api.find(collection, name).catch(() => undefined))?.metadata.resourceVersion;
    }
  }

  #report(): EdgeReportBody {
    this.#sequence += 1;
    const closed = this.holdsAcks ? [] : this.#pods.objects.filter(({ metadata }) => isClosed(metadata));
    return {
      edge: { podName: this.#pod.metadata.name, podUid: this.#pod.metadata.uid },
      bootId: this.#bootId,
      sequence: this.#sequence,
      models: this.#accounts.map(tell),
      replicas: this.#accounts.flatMap(({ busy }) => [...busy].map(([podUid, inFlight]) => ({ podUid, inFlight }))),
      acks: closed.map((pod) => ({ podUid: pod.metadata.uid, epoch: epochOf(pod) })),
      orders: [...this.#orders],
    };
  }
}

const busyAt = ({ busy }: Account, { metadata }: ApiObject): number => {
  const count = busy.get(metadata.uid);
  return count === undefined ? 0 : count;
};

const leastBusy = (account: Account, pods: readonly ApiObject[]): ApiObject | undefined =>
  pods.toSorted((a, b) => busyAt(account, a) - busyAt(account, b))[0];

function begin(account: Account, pod: ApiObject): void {
  account.busy.set(pod.metadata.uid, busyAt(account, pod) + 1);
  account.started += 1;
  account.waiting.shift()?.start(pod.metadata.uid);
}

function finish(account: Account, pod: string): void {
  const count = account.busy.get(pod);
  // It has ended with its pod.
  if (count === undefined) return;
  if (count <= 1) account.busy.delete(pod);
  else account.busy.set(pod, count - 1);
  account.finished += 1;
  account.idleSince = performance.now();
}

function tell({ key, waiting, busy, started, finished, idleSince }: Account): EdgeReportBody['models'][number] {
  const [oldest] = waiting;
  const inFlight = sum(busy.values());
  return {
    ...key,
    inFlight,
    waiting: waiting.length,
    oldestWaitSeconds: oldest === undefined ? 0 : secondsSince(oldest.since),
    startedTotal: started,
    finishedTotal: finished,
    ...(inFlight > 0 || started === 0 ? {} : { idleSeconds: secondsSince(idleSince) }),
  };
}
