import { accessLog } from '../edge/access-log.ts';
import { isDeclared, readModels } from '../edge/model-readings.ts';
import { observedBy, type EdgeObserver } from '../edge/observer.ts';
import type { EdgeContext } from '../edge/visit.ts';
import type { Log } from '../platform/log.ts';
import type { EdgeMetrics, EdgeSight } from '../platform/metrics/edge-metrics.ts';

/** What the metrics of an edge are read from. */
export const edgeSight = (seen: Pick<EdgeContext, 'board' | 'ledger'>, now: EdgeSight['now']): EdgeSight => ({
  models: () => readModels(seen),
  isDeclared: (model) => isDeclared(seen, model),
  now,
});

/** Who is told of each request that has ended. */
export const edgeObservers = (log: Log, metrics: EdgeMetrics | undefined): EdgeObserver =>
  metrics === undefined ? accessLog(log) : observedBy(accessLog(log), metrics);
