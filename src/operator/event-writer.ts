import { EVENTS } from '../api/cluster/resources.ts';
import { API_VERSION } from '../api/manifest-schema.ts';
import { CONTROLLER_NAME } from '../api/model-pool-schema.ts';
import type { ReplicaId } from '../domain/ids.ts';
import type { KubeApi, NewObject } from '../kube/kube-api.ts';
import type { Log } from '../platform/log.ts';
import type { Happening } from './transitions.ts';

/** Which pod a replica is. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventWriterParts {
  readonly api: Pick<KubeApi, 'create'>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** `undefined`: it is not known, or never was a pod. */
  readonly podOf: (replica: ReplicaId) => PodName | undefined;
  /** Who writes: the name of the operator's pod. */
  readonly instance: string;
  /** Hexadecimal and of this process alone, so that its Events have names of their own. */
  readonly nonce: string;
}

/** Events that wait to be written, at most. They are for people, and may be lost; what must not be lost is in the status. */
const MAX_QUEUED = 256;
/** The limits of events.k8s.io/v1, in bytes, and of names. */
const MAX_NOTE = 1024;
const MAX_INSTANCE = 128;
const MAX_NAME = 200;

/** At most `bytes` bytes of UTF-8. */
function cutBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  return `${encoded
    .subarray(0, bytes - 3)
    .toString()
    .replace(/\uFFFD$/u, '')}…`;
}

/** `metav1.MicroTime`: six digits, and neither more nor fewer are read. */
const microTime = (wall: number): string => new Date(wall).toISOString().replace(/Z$/u, '000Z');

/** Writes Events (events.k8s.io/v1) about ModelDeployments, one after another. */
export class EventWriter {
  readonly #parts: EventWriterParts;
  readonly #queue: NewObject[] = [];
  #count = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: EventWriterParts) {
    this.#parts = parts;
  }

  /** Queues one Event for each. One for which there is no room is lost, and that is logged. */
  report(happenings: readonly Happening[]): void {
    if (this.#isStopped) return;
    for (const happening of happenings) {
      if (this.#queue.length < MAX_QUEUED) this.#queue.push(this.#render(happening));
      else this.#lost += 1;
    }
    if (this.#queue.length > 0) this.#writing ??= this.#writeAll();
  }

  /** Writes nothing more; what is queued is lost. Resolves when nothing is on its way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#queue.length = 0;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) await this.#write(event);
    this.#writing = undefined;
  }

  async #write(event: NewObject): Promise<void> {
    const { api, log } = this.#parts;
    try {
      await api.create(EVENTS, event);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('an Event is lost', { event: event.metadata.name, reason });
    }
    if (this.#lost === 0) return;
    log.warn('Events are lost: there were too many at once', { lost: this.#lost });
    this.#lost = 0;
  }

  #render({ object, replica, type, reason, action, note }: Happening): NewObject {
    const { wallNow, podOf, instance, nonce } = this.#parts;
    const pod = replica === undefined ? undefined : podOf(replica);
    this.#count += 1;
    // A name ends with a letter or digit before each dot.
    const base = object.name.slice(0, MAX_NAME).replace(/[^a-z0-9]+$/u, '');
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${base}.${nonce}${this.#count.toString(16).padStart(6, '0')}`, namespace: object.namespace },
      eventTime: microTime(wallNow()),
      reportingController: CONTROLLER_NAME,
      reportingInstance: instance.slice(0, MAX_INSTANCE),
      type,
      reason,
      action,
      note: cutBytes(note, MAX_NOTE),
      regarding: { apiVersion: API_VERSION, kind: 'ModelDeployment', ...object },
      ...(pod === undefined ? {} : { related: { apiVersion: 'v1', kind: 'Pod', ...pod } }),
    };
  }
}
