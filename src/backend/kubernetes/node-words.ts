import Type from 'typebox';
import { Value } from 'typebox/value';
import type { PodView } from '../../api/cluster/pod-view.ts';
import { POD_EVENTS } from '../../api/cluster/resources.ts';
import { after, seconds, type Duration, type Instant } from '../../domain/units.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Log } from '../../platform/log.ts';
import { NOTICE } from './find-trouble.ts';
import type { KnownPod } from './pod-book.ts';

/** Reasons of Events why a node does not get to a pod's containers (Kubernetes v1.34, pkg/kubelet/events). */
const REASONS = [
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
  'NetworkNotReady',
];
/** What a kubelet says again and again once it has said more. */
const SUMMARY = 'Unable to attach or mount volumes';

const Time = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const Told = Type.Object({
  reason: Type.String(),
  message: Type.String(),
  lastTimestamp: Time,
  eventTime: Time,
});
type Told = Type.Static<typeof Told>;

/** Of one pod: how often it was asked about, when that is due again, and what was said last. */
interface Asked {
  readonly times: number;
  readonly next: Instant;
  readonly words: string | undefined;
}

export interface NodeWordsParts {
  readonly api: Pick<KubeApi, 'list'>;
  readonly now: () => Instant;
  readonly log: Log;
  /** What is said of a pod has changed. */
  readonly onChange: () => void;
}

/**
 * What nodes say of pods none of whose containers begins. A pod's status does not tell why, Events do. They are asked for pod by
 * pod, more and more rarely.
 */
export class NodeWords {
  readonly #parts: NodeWordsParts;
  /** By the pod's uid. */
  readonly #asked = new Map<string, Asked>();

  constructor(parts: NodeWordsParts) {
    this.#parts = parts;
  }

  /** `undefined`: nothing, as far as is known. */
  of(uid: string): string | undefined {
    return this.#asked.get(uid)?.words;
  }

  /** Asks about those of these pods for which it is time, and forgets all others. */
  look(pods: readonly KnownPod[]): void {
    const now = this.#parts.now();
    const due = new Map(pods.flatMap((known) => this.#dueOf(known)));
    for (const uid of this.#asked.keys()) if (!due.has(uid)) this.#asked.delete(uid);
    for (const { pod } of pods) {
      const at = due.get(pod.uid);
      if (at !== undefined && at <= now) void this.#ask(pod, now);
    }
  }

  /** When these pods are to be asked about. */
  timesOf(pods: readonly KnownPod[]): readonly Instant[] {
    return pods.flatMap((known) => this.#dueOf(known)).map(([, at]) => at);
  }

  #dueOf({ pod, history: { notBegun } }: KnownPod): [string, Instant][] {
    if (notBegun === undefined) return [];
    const asked = this.#asked.get(pod.uid);
    return [[pod.uid, asked === undefined ? after(notBegun, NOTICE) : asked.next]];
  }

  async #ask({ uid, namespace, name }: PodView, now: Instant): Promise<void> {
    const { api, log, onChange } = this.#parts;
    const before = this.#asked.get(uid);
    const times = before === undefined ? 0 : before.times;
    this.#asked.set(uid, { times: times + 1, next: after(now, pauseAfter(times)), words: before?.words });
    try {
      const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
      const { items } = await api.list(POD_EVENTS, { namespace, fieldSelector });
      const asked = this.#asked.get(uid);
      const words = wordsIn(items);
      if (asked === undefined || asked.words === words) return;
      this.#asked.set(uid, { ...asked, words });
      onChange();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('the Events of a pod could not be read', { pod: name, reason });
    }
  }
}

/** 5 s, doubling to a minute. */
const pauseAfter = (times: number): Duration => seconds(Math.min(60, 5 * 2 ** times));

/** What is said that keeps a pod from beginning: the last of it, and rather what has happened than that it still does. */
function wordsIn(items: readonly unknown[]): string | undefined {
  const told = items.filter((item) => Value.Check(Told, item)).filter(({ reason }) => REASONS.includes(reason));
  const happened = told.filter(({ message }) => !message.startsWith(SUMMARY));
  const [last] = (happened.length === 0 ? told : happened).sort((a, b) => timeOf(b) - timeOf(a));
  return last === undefined ? undefined : `${last.reason}: ${last.message}`;
}

/** They are of one clock, and compared with each other only. What has no time is the oldest. */
function timeOf({ lastTimestamp, eventTime }: Told): number {
  const time = Date.parse(lastTimestamp ?? eventTime ?? '');
  return Number.isNaN(time) ? 0 : time;
}
