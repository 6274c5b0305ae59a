import type { JsonObject } from '../domain/json.ts';
import { viewPod } from '../api/cluster/pod-view.ts';
import type { PresetUid } from '../domain/ids.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { FakeApiServer } from './fake-api-server.ts';
import { PODS } from './kube-testbed.ts';

/** How a pod's llama-server behaves: its variable `FAKE`. `held`: it is not ready before `release`. */
const BEHAVIOURS = ['ready', 'held', 'exit'] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/**
 * Stands in for scheduler and kubelet: takes each new pod at once, and lets its llama-server behave as its `FAKE` says.
 * Deleted pods are gone at once, unless their ends are held.
 */
export class FakeKubelet {
  readonly #server: FakeApiServer;
  readonly #released = new Set<PresetUid>();
  #holdsEnds = false;
  #isOver = false;

  constructor(server: FakeApiServer) {
    this.#server = server;
  }

  /** Works until `stop`: what it does is looked at again, so that one pod follows on the other. */
  run(): void {
    const work = (): void => {
      const pod = this.#isOver ? undefined : this.#pods().find((one) => this.#nextStatus(one) !== undefined);
      if (pod !== undefined) this.#work(pod);
    };
    this.#server.onLook(() => {
      queueMicrotask(work);
    });
    work();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** The held servers of a preset become ready, also those that are still to come. */
  release(preset: PresetUid): void {
    this.#released.add(preset);
    for (const pod of this.#pods()) this.#work(pod);
  }

  /** The pod's server ends by itself. */
  crash(uid: string): void {
    const pod = this.#pods().find(({ metadata }) => metadata.uid === uid);
    if (pod !== undefined) this.setStatus(pod.metadata.name, failedStatus(137, 'last words'));
  }

  /** Containers of deleted pods take as long to end as it takes to call what is returned. */
  holdEnds(): () => void {
    this.#holdsEnds = true;
    return () => {
      this.#holdsEnds = false;
      for (const pod of this.#pods()) this.#work(pod);
    };
  }

  /** Pods whose llama-server runs. */
  running(): readonly KubeObject[] {
    return this.#pods().filter((pod) => phaseOf(pod) === 'Running');
  }

  setStatus(name: string, status: JsonObject): void {
    this.#server.edit(PODS, { namespace: 'ml', name }, (pod) => ({
      ...pod,
      spec: { ...asObject(pod['spec']), nodeName: 'node-1' },
      status,
    }));
  }

  #pods(): readonly KubeObject[] {
    return this.#server.objects(PODS);
  }

  #work(pod: KubeObject): void {
    const next = this.#nextStatus(pod);
    if (next === 'gone') this.#server.finishDeletion(pod.metadata.uid);
    else if (next !== undefined) this.setStatus(pod.metadata.name, next);
  }

  /** `undefined`: nothing is to be done for it. */
  #nextStatus(pod: KubeObject): JsonObject | 'gone' | undefined {
    const { deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) return this.#holdsEnds ? undefined : 'gone';
    const phase = phaseOf(pod);
    const behaviour = behaviourOf(pod);
    if (behaviour === undefined || phase === 'Failed' || isReady(pod)) return undefined;
    if (behaviour === 'exit') return failedStatus(3, 'line 1\nthe model is broken\n');
    const preset = viewPod(pod)?.preset;
    const isReleased = preset !== undefined && this.#released.has(preset);
    if (behaviour === 'ready' || isReleased) return runningStatus(true);
    return phase === 'Running' ? undefined : runningStatus(false);
  }
}

/** What a pod that runs says; its address is one that nobody has (RFC 5737). */
export const runningStatus = (ready: boolean): JsonObject => ({
  phase: 'Running',
  podIP: '192.0.2.7',
  conditions: [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:04Z' },
  ],
  containerStatuses: [{ name: 'llama-server', state: { running: { startedAt: '2026-01-01T00:00:01Z' } } }],
});

export const failedStatus = (exitCode: number, message: string, reason = 'Error'): JsonObject => ({
  phase: 'Failed',
  podIP: '192.0.2.7',
  conditions: [{ type: 'Ready', status: 'False', reason: 'PodFailed', lastTransitionTime: '2026-01-01T00:00:09Z' }],
  containerStatuses: [{ name: 'llama-server', state: { terminated: { exitCode, reason, message } } }],
});

const asObject = (value: unknown): JsonObject => (typeof value === 'object' && value !== null ? { ...value } : {});

const phaseOf = (pod: KubeObject): unknown => asObject(pod['status'])['phase'];

function isReady(pod: KubeObject): boolean {
  const { conditions } = asObject(pod['status']);
  return JSON.stringify(conditions ?? []).includes('"type":"Ready","status":"True"');
}

/** `undefined`: no `FAKE` says what to do, so the test does it. */
function behaviourOf(pod: KubeObject): Behaviour | undefined {
  const text = JSON.stringify(pod['spec']);
  return BEHAVIOURS.find((behaviour) => text.includes(`{"name":"FAKE","value":"${behaviour}"}`));
}
