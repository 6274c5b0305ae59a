import type { Tally } from '../activity/ledger.ts';
import { splitPresetUid } from '../api/cluster/pod-settings.ts';
import type { EdgeReportBody } from '../api/edge-report-schema.ts';
import type { PresetUid, ReplicaId } from '../domain/ids.ts';
import { since, type Instant } from '../domain/units.ts';
import type { EdgeIdentity } from './edge-identity.ts';
import type { EdgeOrder } from './edge-order.ts';
import { fitReport } from './fit-report.ts';

/** One declared preset, and what was counted of it. */
export interface CountedPreset {
  readonly uid: PresetUid;
  /** It has a replica, in whatever state. */
  readonly hasReplica: boolean;
  readonly tally: Tally;
}

/** What an edge knows at one moment. All of it is read in one tick. */
export interface EdgeView {
  readonly identity: EdgeIdentity;
  readonly bootId: string;
  readonly sequence: number;
  readonly now: Instant;
  readonly presets: readonly CountedPreset[];
  readonly busy: ReadonlyMap<ReplicaId, number>;
  /** Closed gates that the published table obeys, by pod. */
  readonly acks: ReadonlyMap<ReplicaId, number>;
  readonly orders: readonly EdgeOrder[];
}

type ReportedModel = EdgeReportBody['models'][number];

/** What an edge reports. What is not in it is zero, or was never seen; see `fitReport` for what a large one leaves out. */
export function buildReport(view: EdgeView): EdgeReportBody {
  const { podName, podUid } = view.identity;
  return fitReport({
    edge: { podName, podUid },
    bootId: view.bootId,
    sequence: view.sequence,
    models: view.presets.filter(isWorthReporting).map((counted) => reportModel(counted, view.now)),
    replicas: [...view.busy].map(([id, inFlight]) => ({ podUid: id, inFlight })),
    acks: [...view.acks].map(([id, epoch]) => ({ podUid: id, epoch })),
    orders: view.orders.map(reportOrder),
  });
}

function isWorthReporting({ hasReplica, tally }: CountedPreset): boolean {
  const { activity, demand, started } = tally;
  return activity.kind === 'busy' || demand !== undefined || (hasReplica && started > 0);
}

function reportModel({ uid, tally }: CountedPreset, now: Instant): ReportedModel {
  const { activity, demand, started, finished } = tally;
  // A preset that was never used here says nothing of its idle time: its account is only as old as this process.
  const idle = activity.kind === 'idle' && started > 0 ? { idleSeconds: secondsSince(activity.since, now) } : {};
  return {
    ...splitPresetUid(uid),
    inFlight: activity.kind === 'busy' ? activity.inFlight : 0,
    waiting: demand === undefined ? 0 : demand.waiting,
    oldestWaitSeconds: demand === undefined ? 0 : secondsSince(demand.since, now),
    startedTotal: started,
    finishedTotal: finished,
    ...idle,
  };
}

const reportOrder = ({ id, kind, preset, replicas }: EdgeOrder): EdgeReportBody['orders'][number] => ({
  id,
  kind,
  ...splitPresetUid(preset),
  podUids: [...replicas],
});

/** Seconds, to the millisecond. */
const secondsSince = (start: Instant, now: Instant): number => Math.round(since(start, now)) / 1000;
