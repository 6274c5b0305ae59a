import { randomUUID } from 'node:crypto';
import { createLedger } from '../../../src/activity/create-ledger.ts';
import type { InFlight, Waiting } from '../../../src/activity/ledger.ts';
import { viewPod } from '../../../src/api/cluster/pod-view.ts';
import { EDGE_REPORTS } from '../../../src/api/cluster/resources.ts';
import { createPresetReader } from '../../../src/api/cluster/routed-presets.ts';
import { ClusterLink } from '../../../src/cluster-edge/cluster-link.ts';
import type { EdgeIdentity } from '../../../src/cluster-edge/edge-identity.ts';
import { modelName, type PresetUid, type ReplicaId } from '../../../src/domain/ids.ts';
import type { KubeApi } from '../../../src/kube/kube-api.ts';
import type { KubeObject, Resource } from '../../../src/kube/kube-object.ts';
import type { Timers } from '../../../src/kube/timers.ts';
import type { Log } from '../../../src/platform/log.ts';
import { createRouteBoard } from '../../../src/routing/route-board.ts';
import type { RouteTable } from '../../../src/routing/route.ts';

/** What an edge's requests and reports have taken, in milliseconds. */
export interface EdgeFigures {
  /** From the first request that waits for a model to the beginning of the write that reports it, and to its answer. */
  readonly untilReporting: number[];
  readonly untilReported: number[];
  /** Of each request that had to wait: until it went to a pod. */
  readonly waits: number[];
  /** Requests that were not held, or not to the end. */
  refused: number;
}

export const noFigures = (): EdgeFigures => ({ untilReporting: [], untilReported: [], waits: [], refused: 0 });

interface Waiter {
  readonly preset: PresetUid;
  readonly since: number;
  readonly waiting: Waiting;
  readonly takes: number;
}

export interface SimulatedEdgeParts {
  readonly api: KubeApi;
  readonly identity: EdgeIdentity;
  readonly timers: Timers;
  readonly log: Log;
  readonly figures: () => EdgeFigures;
}

/** All of an edge but HTTP: it follows, reports and acknowledges as a real one, and its requests exist in its ledger only. */
export class SimulatedEdge {
  readonly #parts: SimulatedEdgeParts;
  readonly #board = createRouteBoard();
  readonly #ledger = createLedger();
  readonly #link: ClusterLink;
  #waiters: readonly Waiter[] = [];
  /** When somebody began to wait for a model that nobody had waited for, and no report has said so yet. */
  #unreported: number[] = [];
  readonly #ends = new Set<NodeJS.Timeout>();

  constructor(parts: SimulatedEdgeParts) {
    this.#parts = parts;
    const { identity, timers, log } = parts;
    this.#link = new ClusterLink({
      api: this.#measured(parts.api),
      identity,
      readPresets: createPresetReader(() => ({ now: timers.now(), wall: Date.now() })),
      readPod: viewPod,
      newId: randomUUID,
      board: this.#board,
      ledger: this.#ledger,
      wallClock: Date.now,
      timers,
      log,
      onTakenOver: (error) => {
        throw error;
      },
    });
    this.#board.onPublish((table) => {
      this.#dispatch(table);
    });
  }

  /** Resolves when it knows every model. */
  async start(): Promise<void> {
    await this.#link.start();
  }

  knows(model: string): boolean {
    return this.#board.read().find(modelName(model)) !== undefined;
  }

  /** A request for a model, which takes so many milliseconds once a pod has it. */
  request(model: string, takes: number): void {
    const route = this.#board.read().find(modelName(model));
    const account = route === undefined ? undefined : this.#ledger.find(route.uid);
    if (route?.refusal !== undefined || route === undefined || account === undefined) {
      this.#parts.figures().refused += 1;
      return;
    }
    const now = this.#parts.timers.now();
    const [replica] = route.replicas;
    if (replica !== undefined) {
      this.#serve(account.begin(replica.id, now), takes);
      return;
    }
    if (account.waiting === 0) this.#unreported.push(now);
    this.#waiters = [...this.#waiters, { preset: route.uid, since: now, waiting: account.wait(now), takes }];
  }

  /** Ends all requests, and then what it says of itself. */
  async stop(): Promise<void> {
    for (const end of this.#ends) clearTimeout(end);
    await this.#link.finish();
  }

  #dispatch(table: RouteTable): void {
    const now = this.#parts.timers.now();
    this.#waiters = this.#waiters.filter((waiter) => {
      const route = table.findByUid(waiter.preset);
      const id = route?.replicas[0]?.id;
      if (route === undefined) waiter.waiting.leave(now);
      else if (id !== undefined) this.#begin(waiter, id);
      return route !== undefined && id === undefined;
    });
  }

  #begin({ waiting, since, takes }: Waiter, id: ReplicaId): void {
    const now = this.#parts.timers.now();
    this.#parts.figures().waits.push(now - since);
    this.#serve(waiting.dispatch(id, now), takes);
  }

  #serve(inFlight: InFlight, takes: number): void {
    const timer = setTimeout(() => {
      this.#ends.delete(timer);
      inFlight.end(this.#parts.timers.now());
    }, takes);
    this.#ends.add(timer);
  }

  /** The same client, whose writes of reports are timed. */
  #measured(api: KubeApi): KubeApi {
    return {
      get: async (...args) => api.get(...args),
      list: async (...args) => api.list(...args),
      create: async (...args) => this.#timed(args[0], api.create(...args)),
      replace: async (...args) => this.#timed(args[0], api.replace(...args)),
      patch: async (...args) => api.patch(...args),
      replaceStatus: async (...args) => api.replaceStatus(...args),
      delete: async (...args) => api.delete(...args),
      watch: (...args) => api.watch(...args),
    };
  }

  async #timed(resource: Resource, write: Promise<KubeObject>): Promise<KubeObject> {
    if (resource !== EDGE_REPORTS) return write;
    const { now } = this.#parts.timers;
    const told = this.#unreported;
    this.#unreported = [];
    const begun = now();
    const answer = await write;
    const figures = this.#parts.figures();
    figures.untilReporting.push(...told.map((since) => begun - since));
    figures.untilReported.push(...told.map((since) => now() - since));
    return answer;
  }
}
