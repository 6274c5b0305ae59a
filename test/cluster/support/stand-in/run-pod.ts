import { rm } from 'node:fs/promises';
import { RefusedCall } from '../api-client.ts';
import type { StartedProcesses } from '../started-processes.ts';
import type { PodPlace } from './pod-surroundings.ts';
import { isPodReady, renderStatus } from './render-status.ts';
import { ContainerRun } from './run-container.ts';
import type { StandInImages } from './run-container.ts';

/** A pod whose containers are processes of this machine. */
export class PodRun {
  readonly #place: PodPlace;
  readonly #containers: readonly ContainerRun[];
  readonly #startedAt = new Date().toISOString();
  #ready = false;
  #readySince = this.#startedAt;
  #ending: Promise<void> | undefined;
  /** Statuses are written one after the other, the latest one always. */
  #writing = Promise.resolve();

  constructor(place: PodPlace, processes: StartedProcesses) {
    this.#place = place;
    const onChange = (): void => {
      this.#report();
    };
    this.#containers = place.pod.spec.containers.map((one) => new ContainerRun(place, one, processes, onChange));
  }

  get metadata(): PodPlace['pod']['metadata'] {
    return this.#place.pod.metadata;
  }

  start(images: StandInImages): void {
    this.#report();
    for (const container of this.#containers) void container.start(images);
  }

  /** Ends the processes, and then the object, as a kubelet does. Safe to call again. */
  async end(graceSeconds: number): Promise<void> {
    this.#ending ??= this.#end(graceSeconds);
    return this.#ending;
  }

  async #end(graceSeconds: number): Promise<void> {
    await Promise.all(this.#containers.map(async (container) => container.end(graceSeconds)));
    await this.#writing;
    await rm(this.#place.folder, { recursive: true, force: true });
    const { uid } = this.#place.pod.metadata;
    const forced = { gracePeriodSeconds: 0, preconditions: { uid } };
    await ignoreGone(
      this.#place.api.call('DELETE', this.#path, { kind: 'DeleteOptions', apiVersion: 'v1', ...forced }),
    );
  }

  get #path(): string {
    const { namespace, name } = this.#place.pod.metadata;
    return `/api/v1/namespaces/${namespace}/pods/${name}`;
  }

  #report(): void {
    this.#writing = this.#writing.then(async () => this.#write());
  }

  async #write(): Promise<void> {
    const { api, pod, podIp } = this.#place;
    const containers = this.#containers.map(({ state, restarts }) => ({ state, restarts }));
    const ready = isPodReady(containers.map(({ state }) => state));
    if (ready !== this.#ready) this.#readySince = new Date().toISOString();
    this.#ready = ready;
    const state = { podIp, startedAt: this.#startedAt, containers, readySince: this.#readySince };
    const patch = { metadata: { uid: pod.metadata.uid }, status: renderStatus(pod, state) };
    await ignoreGone(api.call('PATCH', `${this.#path}/status`, patch));
  }
}

/** The object may go while its status is on the way: deleted by force, or by the end of the cluster. */
async function ignoreGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (error instanceof RefusedCall && error.status !== 404 && error.status !== 409) {
      process.stderr.write(`stand-in: ${error.message}\n`);
    }
  });
}
