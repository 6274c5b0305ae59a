import { once } from 'node:events';
import { createLedger } from '../../../src/activity/create-ledger.ts';
import type { Ledger } from '../../../src/activity/ledger.ts';
import { createEdge, type Edge } from '../../../src/edge/edge.ts';
import { DEFAULT_EDGE_LIMITS, type EdgeLimits } from '../../../src/edge/limits.ts';
import type { EdgeObserver } from '../../../src/edge/observer.ts';
import { monotonicNow } from '../../../src/platform/clock.ts';
import { createRouteBoard } from '../../../src/routing/route-board.ts';
import { tableOf, type ModelSketch } from '../../../src/testing/edge-testbed.ts';
import { portOf } from '../../../src/testing/http-kit.ts';

/** An edge that listens and keeps nothing of what it did, so that it can serve any number of requests. */
export interface LeanEdge {
  readonly edge: Edge;
  readonly port: number;
  readonly ledger: Ledger;
  readonly publish: (models: readonly ModelSketch[]) => void;
}

const nothing = (): void => undefined;
const silence = { error: nothing, warn: nothing, info: nothing, debug: nothing };

export async function startLeanEdge(limits: Partial<EdgeLimits>, observer: EdgeObserver): Promise<LeanEdge> {
  const [ledger, board] = [createLedger(), createRouteBoard()];
  const edge = createEdge({
    board,
    ledger,
    orders: {
      reload: async () => Promise.resolve({ ok: true }),
      load: () => 'ordered',
      unload: () => 'ordered',
      replicasOf: () => [],
    },
    log: silence,
    observer,
    now: monotonicNow,
    limits: { ...DEFAULT_EDGE_LIMITS, maxConnectionsPerAddress: DEFAULT_EDGE_LIMITS.maxConnections, ...limits },
    created: 1,
  });
  edge.server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 });
  await once(edge.server, 'listening');
  return {
    edge,
    port: portOf(edge.server),
    ledger,
    publish: (models) => {
      const table = tableOf(models);
      ledger.declare(
        table.routes.map(({ preset }) => preset),
        monotonicNow(),
      );
      board.publish(table);
    },
  };
}
