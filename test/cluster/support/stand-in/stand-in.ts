import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, ApiObject, Change } from '../api-client.ts';
import type { StartedProcesses } from '../started-processes.ts';
import { PodRun } from './run-pod.ts';
import { processName } from './run-container.ts';
import type { StandInImages } from './run-container.ts';
import { decodePod } from './stand-in-pod.ts';

export const STAND_IN_NODE = 'stand-in';

export interface StandInParts {
  readonly api: ApiClient;
  readonly processes: StartedProcesses;
  readonly images: StandInImages;
  readonly server: URL;
  readonly caFile: string;
  /** For the pods' volumes. */
  readonly folder: string;
  /** Of the cluster, so that the pods of two have different addresses. */
  readonly index: number;
}

/**
 * Does a kubelet's work for one node, roughly: the pods that the scheduler binds to it run as processes of this machine,
 * each with a loopback address of its own. There is no isolation, no liveness probe, no init container and no Service.
 */
export class StandIn {
  readonly #parts: StandInParts;
  readonly #runs = new Map<string, PodRun>();
  readonly #ended = new AbortController();
  #started = 0;

  constructor(parts: StandInParts) {
    this.#parts = parts;
  }

  /** Follows the node's pods until it is ended. */
  async follow(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        for await (const change of this.#parts.api.changes(
          '/api/v1/pods',
          `fieldSelector=spec.nodeName%3D${STAND_IN_NODE}`,
          signal,
        )) {
          this.#take(change);
        }
      } catch {
        await delay(200);
      }
    }
  }

  #take(change: Change): void {
    switch (change.kind) {
      case 'listed': {
        const uids = new Set(change.items.map(({ metadata }) => metadata.uid));
        for (const [uid, run] of this.#runs) if (!uids.has(uid)) this.#drop(uid, run);
        for (const item of change.items) this.#bring(item);
        return;
      }
      case 'changed':
        this.#bring(change.object);
        return;
      case 'deleted': {
        const run = this.#runs.get(change.object.metadata.uid);
        if (run !== undefined) this.#drop(change.object.metadata.uid, run);
      }
    }
  }

  /** Deleted by force: its processes have no more time. */
  #drop(uid: string, run: PodRun): void {
    this.#runs.delete(uid);
    void run.end(0);
  }

  #bring(object: ApiObject): void {
    const pod = decodePod(object);
    const run = this.#runs.get(pod.metadata.uid);
    if (pod.metadata.deletionTimestamp === undefined) {
      if (run === undefined) this.#start(object);
      return;
    }
    const ending = run === undefined ? this.#start(object, false) : run;
    void ending.end(pod.metadata.deletionGracePeriodSeconds ?? 30);
  }

  #start(object: ApiObject, really = true): PodRun {
    const { api, processes, server, caFile, folder, index, images } = this.#parts;
    const pod = decodePod(object);
    this.#started += 1;
    const podIp = `127.${100 + index}.${Math.floor(this.#started / 250)}.${1 + (this.#started % 250)}`;
    const place = { pod, podIp, api, server, caFile, folder: join(folder, pod.metadata.uid) };
    const run = new PodRun(place, processes);
    this.#runs.set(pod.metadata.uid, run);
    if (really) run.start(images);
    return run;
  }

  /** The path of a container's log. */
  findLog({ namespace, pod, name }: { namespace: string; pod: string; name: string }): string | undefined {
    const run = [...this.#runs.values()].find(
      ({ metadata }) => metadata.namespace === namespace && metadata.name === pod,
    );
    return run === undefined ? undefined : this.#parts.processes.logFile(processName(run.metadata.uid, name));
  }

  end(): void {
    this.#ended.abort();
  }
}
