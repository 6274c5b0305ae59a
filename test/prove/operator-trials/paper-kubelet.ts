import { setTimeout as delay } from 'node:timers/promises';
import { failedStatus, runningStatus } from '../../../src/testing/fake-kubelet.ts';
import { asObject, RefusedCall, type ApiClient, type ApiObject } from '../../cluster/support/api-client.ts';
import { isReady } from '../../cluster/support/test-cluster.ts';
import { registerNode } from '../../cluster/support/stand-in/fake-node.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { Mirror } from './mirror.ts';
import { fieldAt, textAt } from '../../cluster/support/field-at.ts';

/** The only node. */
export const PAPER_NODE = 'paper';
/** From a pod's place on the node to its server's start, to its being ready, and from its deletion to its end. */
const STEP_MS = 25;

/** `settled`: from this version on its status says what it is to say, unless somebody else writes it. */
type Doing =
  { readonly kind: 'starting' } | { readonly kind: 'settled'; readonly version: number } | { readonly kind: 'ending' };

/** Where a pod is, in the API. */
export const podPath = ({ metadata }: ApiObject): string =>
  `/api/v1/namespaces/${String(metadata.namespace)}/pods/${metadata.name}`;

/** Whether a pod's server is to end with an error instead of becoming ready. */
const isBroken = ({ spec }: ApiObject): boolean => JSON.stringify(spec).includes('{"name":"FAKE","value":"exit"}');

/** What runs in the pods of a paper node. */
export interface PodRuns {
  /** Starts it, and resolves with the statuses that the pod has from then on, one after the other. */
  readonly start: (pod: ApiObject) => Promise<readonly object[]>;
  /** The pod is being deleted. Resolves when nothing runs there any more. */
  readonly end: (pod: ApiObject) => Promise<void>;
}

/** Nothing, but for what their statuses say. */
const NOTHING: PodRuns = {
  start: async (pod) =>
    Promise.resolve(
      isBroken(pod) ? [failedStatus(3, 'the model is broken')] : [false, true].map((ready) => runningStatus(ready)),
    ),
  end: async () => Promise.resolve(),
};

/** Registers a node that is none: what a kubelet would write of its pods is written, and deleted ones end soon. */
export async function startPaperKubelet(t: Cleanup, api: ApiClient, pods: Mirror, runs = NOTHING): Promise<void> {
  await startPaperNode(t, api, pods, { name: PAPER_NODE, runs });
}

/** The same of a further node, which takes what tolerates its taint. Resolves with what has it fall silent. */
export async function startPaperNode(
  t: Cleanup,
  api: ApiClient,
  pods: Mirror,
  { name, runs = NOTHING, taint }: { readonly name: string; readonly runs?: PodRuns; readonly taint?: string },
): Promise<() => void> {
  const forgetNode = await registerNode(api, name, 1, taint);
  const stop = new PaperKubelet(name, api, pods, runs).run();
  const fallSilent = (): void => {
    stop();
    forgetNode();
  };
  t.after(async () => {
    fallSilent();
    return Promise.resolve();
  });
  return fallSilent;
}

/** Resolves when the node takes pods: after an outage of the API server its heartbeats may have been missed, and it is tainted for a while. */
export async function untilNodeTakesPods(api: ApiClient): Promise<void> {
  await api.until(
    '/api/v1/nodes',
    PAPER_NODE,
    (node) => node !== undefined && fieldAt(node, 'spec', 'taints') === undefined,
  );
}

class PaperKubelet {
  readonly #node: string;
  readonly #api: ApiClient;
  readonly #pods: Mirror;
  readonly #runs: PodRuns;
  readonly #doing = new Map<string, Doing>();
  #isOver = false;

  constructor(node: string, api: ApiClient, pods: Mirror, runs: PodRuns) {
    this.#node = node;
    this.#api = api;
    this.#pods = pods;
    this.#runs = runs;
  }

  /** Works until what is returned is called. */
  run(): () => void {
    const forget = this.#pods.onChange(() => {
      this.#look();
    });
    return () => {
      this.#isOver = true;
      forget();
    };
  }

  #look(): void {
    const placed = this.#pods.objects.filter((pod) => textAt(pod, 'spec', 'nodeName') === this.#node);
    const uids = new Set(placed.map(({ metadata }) => metadata.uid));
    for (const uid of this.#doing.keys()) if (!uids.has(uid)) this.#doing.delete(uid);
    for (const pod of placed) this.#lookAt(pod);
  }

  #lookAt(pod: ApiObject): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const doing = this.#doing.get(uid);
    if (deletionTimestamp !== undefined && doing?.kind !== 'ending') {
      this.#doing.set(uid, { kind: 'ending' });
      void this.#end(pod);
    } else if (doing === undefined || isUndone(doing, pod)) {
      this.#doing.set(uid, { kind: 'starting' });
      void this.#run(pod);
    }
  }

  async #run(pod: ApiObject): Promise<void> {
    const { uid } = pod.metadata;
    let version = 0;
    for (const status of await this.#runs.start(pod)) {
      await delay(STEP_MS);
      const body = { metadata: { uid }, status };
      const answer = await this.#write(pod, async () => this.#api.call('PATCH', `${podPath(pod)}/status`, body));
      if (answer !== undefined) version = Number(asObject(answer).metadata.resourceVersion);
    }
    if (this.#doing.get(uid)?.kind === 'starting') this.#doing.set(uid, { kind: 'settled', version });
  }

  async #end(pod: ApiObject): Promise<void> {
    await delay(STEP_MS);
    await this.#runs.end(pod);
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
    };
    await this.#write(pod, async () => this.#api.call('DELETE', podPath(pod), body));
  }

  /** Until the API server has answered: it may be away. What it refuses, `undefined`, is about a pod that is gone. */
  async #write(pod: ApiObject, call: () => Promise<unknown>): Promise<unknown> {
    while (!this.#isOver && this.#pods.find(pod.metadata.uid) !== undefined) {
      try {
        return await call();
      } catch (error) {
        if (error instanceof RefusedCall && error.status < 429) return undefined;
        await delay(STEP_MS);
      }
    }
    return undefined;
  }
}

/** A node whose heartbeats are missed has its pods called not ready by others. */
const isUndone = (doing: Doing, pod: ApiObject): boolean =>
  doing.kind === 'settled' && Number(pod.metadata.resourceVersion) >= doing.version && !isReady(pod) && !isBroken(pod);
