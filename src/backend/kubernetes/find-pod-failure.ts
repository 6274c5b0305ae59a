import type { ContainerView, PodView } from '../../api/cluster/pod-view.ts';
import type { Failure } from '../../domain/replica.ts';
import { explainNoImageMounts } from './no-image-mounts.ts';
import { FETCHERS } from './render-fetches.ts';

/** A failure before it has its times. */
export type PodFailure = Pick<Failure, 'code' | 'reason' | 'exitCode' | 'logTail'>;

/** Lines of log that a failure carries, and how long each may be. */
const TAIL_LINES = 12;
const LINE_WIDTH = 2_000;

/** What a kubelet waits for in vain (k8s.io/kubernetes, pkg/kubelet/images and pkg/kubelet/container, errors). */
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
const CONFIG_REASONS: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
]);

/**
 * What a kubelet says while it has not yet read a Secret or ConfigMap itself (pkg/kubelet/util/manager): whether that is there
 * is unknown, and it looks again.
 */
const NOT_READ_YET = /failed to sync (?:secret|configmap) cache: timed out waiting for the condition/u;

/**
 * Why a pod will never serve (again), as its status says; `undefined`: it says nothing of the kind. First match of: what
 * threw it off its node or took that away, how its llama-server ended, how a download or else another init container ended, what a container waits for
 * in vain, its phase.
 */
export function findPodFailure(pod: PodView, wasReady: boolean): PodFailure | undefined {
  const isOver = pod.phase === 'Failed' || pod.phase === 'Succeeded';
  if (isOver && (pod.reason !== '' || pod.disruption?.reason === WITHOUT_NODE)) return ended(pod);
  if (pod.server.kind === 'terminated') return serverEnded(pod.server, wasReady);
  const broken = isOver ? firstBroken(pod.others) : undefined;
  if (broken !== undefined) return otherEnded(broken);
  return waitsInVain([...pod.others, pod.server]) ?? (isOver ? ended(pod) : undefined);
}

/** Whether nothing of the pod can run any more. */
export const hasEnded = ({ phase, server, others }: PodView): boolean =>
  (phase === 'Failed' || phase === 'Succeeded') && [server, ...others].every(({ kind }) => kind !== 'running');

const withoutLog = { exitCode: undefined, logTail: [] } as const;

/** What the garbage collector says of the pod of a node that is no more (k8s.io/kubernetes, pkg/controller/podgc). */
const WITHOUT_NODE = 'DeletionByPodGC';

/** Whether it has ended since its node is no more. It is deleted for that, right afterwards. */
export const isWithoutNode = ({ phase, disruption }: PodView): boolean =>
  phase === 'Failed' && disruption?.reason === WITHOUT_NODE;

function ended({ phase, reason, message, disruption }: PodView): PodFailure {
  if (disruption?.reason === WITHOUT_NODE || reason === 'NodeLost') {
    const words = reason === 'NodeLost' ? message : disruption?.message;
    return { code: 'NodeLost', reason: `its node is gone${afterColon(words ?? '')}`, ...withoutLog };
  }
  const explained = `its node has ended the pod (${reason === '' ? phase : reason})${afterColon(message)}`;
  return { code: 'EndedByNode', reason: explained, ...withoutLog };
}

type Ended = ContainerView & { readonly kind: 'terminated' };

function serverEnded(server: Ended, wasReady: boolean): PodFailure {
  const { exitCode, reason, message } = server;
  const logTail = tailOf(message);
  const during = wasReady ? 'while it served' : 'while it loaded the model';
  if (reason === 'OOMKilled') {
    const explained = `llama-server was killed ${during}: its container has no more memory (OOMKilled)`;
    return { code: 'OOMKilled', reason: explained, exitCode, logTail };
  }
  // Then no process has run, and the message is the container runtime's.
  if (reason === 'StartError' || reason === 'ContainerCannotRun') {
    const explained = `llama-server could not be started${afterColon(message)}`;
    return { code: 'ContainerConfig', reason: explained, ...withoutLog };
  }
  const explained = `llama-server exited with code ${exitCode} ${during}`;
  return { code: wasReady ? 'Crashed' : 'CrashedOnLoad', reason: explained, exitCode, logTail };
}

/** A download before what was first in the pod: when one has failed, the kubelet ends the sidecars, and few end with 0 then. */
function firstBroken(others: readonly ContainerView[]): Ended | undefined {
  const broken = others.filter((other) => other.kind === 'terminated').filter(({ exitCode }) => exitCode !== 0);
  return [...broken.filter(isFetcher), ...broken][0];
}

const isFetcher = ({ name }: ContainerView): boolean => name.startsWith(FETCHERS);

function otherEnded(other: Ended): PodFailure {
  const { name, exitCode, reason: why, message } = other;
  const logTail = tailOf(message);
  if (isFetcher(other)) {
    const lastWords = logTail.length === 0 ? why : logTail.slice(-1).join('');
    const reason = `a file of the model could not be downloaded${afterColon(lastWords)}`;
    return { code: 'DownloadFailed', reason, exitCode, logTail };
  }
  // A plain end says no more than its code.
  const how = why === '' || why === 'Error' ? '' : ` (${why})`;
  const reason = `the container ${name} exited with code ${exitCode}${how} before llama-server could start`;
  return { code: 'InitFailed', reason, exitCode, logTail };
}

function waitsInVain(containers: readonly ContainerView[]): PodFailure | undefined {
  for (const container of containers) {
    if (container.kind !== 'waiting') continue;
    const { name, reason, message } = container;
    if (NOT_READ_YET.test(message)) continue;
    const explained = `the container ${name} cannot be started (${reason})${afterColon(explainNoImageMounts(message))}`;
    if (IMAGE_REASONS.has(reason)) return { code: 'ImagePull', reason: explained, ...withoutLog };
    if (CONFIG_REASONS.has(reason)) return { code: 'ContainerConfig', reason: explained, ...withoutLog };
  }
  return undefined;
}

const afterColon = (message: string): string => (message === '' ? '' : `: ${message}`);

const tailOf = (message: string): readonly string[] =>
  message
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== '')
    .map((line) => line.slice(0, LINE_WIDTH))
    .slice(-TAIL_LINES);
