import { createLedger } from '../activity/create-ledger.ts';
import { createEdge, type Edge } from '../edge/edge.ts';
import type { IsTrustedProxy } from '../edge/client-address.ts';
import type { KeyRing } from '../edge/key-ring.ts';
import type { EdgeLimits } from '../edge/limits.ts';
import type { EdgeObserver } from '../edge/observer.ts';
import { DEFAULT_SURFACE, type Surface } from '../edge/surface.ts';
import type { EdgeContext } from '../edge/visit.ts';
import { createRouteBoard } from '../routing/route-board.ts';
import { ClusterLink, type ClusterLinkParts } from './cluster-link.ts';

export interface ClusterEdgeParts extends Omit<ClusterLinkParts, 'board' | 'ledger'> {
  readonly limits: EdgeLimits;
  /** See `EdgeOptions`. */
  readonly isTrustedProxy?: IsTrustedProxy | undefined;
  readonly surface?: Surface;
  /** Both as in `EdgeContext`. */
  readonly created: number;
  readonly keys?: KeyRing;
  /** Who is told of each request; made from what the edge knows. */
  readonly observe: (seen: Pick<EdgeContext, 'board' | 'ledger'>) => EdgeObserver;
}

/** How a start has gone: to its end, or that of the edge came first. */
export type Start = 'started' | 'ended';

/** An edge of a cluster: routes from the API server, requests to pods, and a report of what it sees. */
export class ClusterEdge {
  /** Does not listen yet. Before `start` has resolved it knows no model. */
  readonly edge: Edge;
  readonly #link: ClusterLink;
  #state: 'starting' | 'ready' | 'ending' = 'starting';

  constructor({
    limits,
    surface = DEFAULT_SURFACE,
    isTrustedProxy,
    created,
    keys,
    observe,
    ...parts
  }: ClusterEdgeParts) {
    const [board, ledger] = [createRouteBoard(), createLedger()];
    const { log, timers } = parts;
    this.#link = new ClusterLink({ ...parts, board, ledger });
    const { orders } = this.#link;
    const observer = observe({ board, ledger });
    this.edge = createEdge({
      board,
      ledger,
      orders,
      log,
      observer,
      now: timers.now,
      limits,
      surface,
      isTrustedProxy,
      created,
      ...(keys === undefined ? {} : { keys }),
    });
  }

  /** Resolves when every model is known; or with `ended` if its end has begun before: then nothing may listen any more. */
  async start(): Promise<Start> {
    await this.#link.start();
    if (this.#state === 'ending') return 'ended';
    this.#state = 'ready';
    return 'started';
  }

  /** Why it takes no requests now; `undefined`: it does. */
  whyNotReady(): string | undefined {
    switch (this.#state) {
      case 'starting':
        return 'not everything is read from the API server yet';
      case 'ending':
        return 'the edge is shutting down';
      case 'ready':
        return this.edge.server.listening ? undefined : 'it does not listen yet';
    }
  }

  /** Not ready any more, but serves on: until nobody sends it new requests. */
  leave(): void {
    this.#state = 'ending';
    this.edge.leave();
  }

  /** Accepts nothing more. Until the last request has ended, it goes on to follow and to report; then all of it ends. */
  async shutdown(): Promise<void> {
    this.#state = 'ending';
    await this.edge.shutdown();
    await this.#link.finish();
  }
}
