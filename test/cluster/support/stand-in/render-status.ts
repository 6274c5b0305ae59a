import type { StandInPod } from './stand-in-pod.ts';

/** What has become of a container. Times are RFC 3339 texts. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly startedAt: string; readonly ready: boolean }
  | {
      readonly kind: 'terminated';
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly exitCode: number;
      readonly message: string;
    };

/** The state of a pod as the stand-in knows it. */
export interface PodState {
  readonly podIp: string;
  readonly startedAt: string;
  /** In the order of the spec. */
  readonly containers: readonly { readonly state: ContainerState; readonly restarts: number }[];
  /** When the pod became ready or ceased to be. */
  readonly readySince: string;
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** A pod with containers that end for good is Succeeded or Failed when all have ended. */
export function phaseOf(states: readonly ContainerState[], restarts: boolean): Phase {
  if (states.some((state) => state.kind === 'waiting')) return 'Pending';
  if (restarts || states.some((state) => state.kind === 'running')) return 'Running';
  return states.every((state) => state.kind === 'terminated' && state.exitCode === 0) ? 'Succeeded' : 'Failed';
}

export const isPodReady = (states: readonly ContainerState[]): boolean =>
  states.every((state) => state.kind === 'running' && state.ready);

/** The status as a kubelet writes it. */
export function renderStatus(pod: StandInPod, state: PodState): object {
  const states = state.containers.map((container) => container.state);
  const ready = isPodReady(states) ? 'True' : 'False';
  const condition = (type: string, status: string, since: string): object => ({
    type,
    status,
    lastTransitionTime: since,
    ...(status === 'True' ? {} : { reason: 'ContainersNotReady' }),
  });
  return {
    phase: phaseOf(states, pod.spec.restartPolicy !== 'Never'),
    podIP: state.podIp,
    podIPs: [{ ip: state.podIp }],
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    startTime: state.startedAt,
    conditions: [
      condition('PodScheduled', 'True', state.startedAt),
      condition('Initialized', 'True', state.startedAt),
      condition('ContainersReady', ready, state.readySince),
      condition('Ready', ready, state.readySince),
    ],
    containerStatuses: pod.spec.containers.map(({ name, image }, index) => ({
      name,
      image,
      imageID: '',
      restartCount: state.containers[index]?.restarts,
      ...containerStatus(states[index]),
    })),
  };
}

function containerStatus(state: ContainerState | undefined): object {
  switch (state?.kind) {
    case 'waiting':
      return { ready: false, started: false, state: { waiting: { reason: state.reason, message: state.message } } };
    case 'running':
      return { ready: state.ready, started: true, state: { running: { startedAt: state.startedAt } } };
    case 'terminated': {
      const { exitCode, message, startedAt, finishedAt } = state;
      const reason = exitCode === 0 ? 'Completed' : 'Error';
      return {
        ready: false,
        started: false,
        state: { terminated: { exitCode, reason, message, startedAt, finishedAt } },
      };
    }
    case undefined:
      throw new Error('a container without a state');
  }
}
