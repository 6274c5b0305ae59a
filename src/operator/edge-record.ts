import Type from 'typebox';
import { Value } from 'typebox/value';
import { clusterPresetUid } from '../api/cluster/pod-settings.ts';
import { ReportSchema, type EdgeReportBody } from '../api/edge-report-schema.ts';
import { replicaId, type PresetUid, type ReplicaId } from '../domain/ids.ts';
import { instant, type Instant } from '../domain/units.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** What one edge has said of one preset, with our own clock's times. */
export interface SeenModel {
  readonly inFlight: number;
  readonly waiting: number;
  /** Since when somebody waits; only while somebody does. */
  readonly waitingSince: Instant | undefined;
  /** The end of the last request; `undefined`: there never was one, or there is one now. */
  readonly idleSince: Instant | undefined;
  readonly startedTotal: number;
}

/** What a client has ordered of one edge. */
export interface ReportedOrder {
  readonly id: string;
  readonly kind: 'load' | 'unload';
  readonly preset: PresetUid;
  /** Of unload: the replicas that are meant. */
  readonly replicas: readonly ReplicaId[];
}

/** One life of one edge, as its last report tells it. */
export interface EdgeRecord {
  /** Namespace and name of the report and of the edge's pod. A later life of the edge has the same. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly podUid: string;
  /** Names this life; `undefined`: the report cannot be read. */
  readonly bootId: string | undefined;
  /** The number of the report in this life; `undefined`: it cannot be read. */
  readonly sequence: number | undefined;
  /** Of the report. */
  readonly resourceVersion: string;
  /** When the edge's word came to us. What others write to its report is no word of it. */
  readonly heardAt: Instant;
  readonly models: ReadonlyMap<PresetUid, SeenModel>;
  readonly inFlight: ReadonlyMap<ReplicaId, number>;
  readonly acks: ReadonlyMap<ReplicaId, number>;
  readonly orders: readonly ReportedOrder[];
}

const Reported = Type.Object({ report: ReportSchema });

/** Reads a report; `before` is what the same life of the edge said last. */
export function readRecord(object: KubeObject, before: EdgeRecord | undefined, now: Instant): EdgeRecord {
  const { namespace = '', name, resourceVersion, ownerReferences = [] } = object.metadata;
  const header = { key: keyOf(object), namespace, name, resourceVersion };
  if (!Value.Check(Reported, object)) {
    const podUid = ownerReferences.find(({ kind }) => kind === 'Pod')?.uid;
    const word = { podUid: podUid ?? '', bootId: undefined, sequence: undefined };
    return { ...header, ...word, heardAt: heardAt(word, before, now), ...NOTHING };
  }
  const { edge, bootId, sequence, replicas, acks, orders, models } = object.report;
  const earlier = before?.bootId === bootId ? before.models : undefined;
  const word = { podUid: edge.podUid, bootId, sequence };
  return {
    ...header,
    ...word,
    heardAt: heardAt(word, before, now),
    models: new Map(models.map((model) => readModel(model, earlier, now))),
    inFlight: new Map(replicas.map(({ podUid, inFlight }) => [replicaId(podUid), inFlight])),
    acks: new Map(acks.map(({ podUid, epoch }) => [replicaId(podUid), epoch])),
    orders: orders.map(readOrder),
  };
}

function heardAt(
  { podUid, bootId, sequence }: Pick<EdgeRecord, 'podUid' | 'bootId' | 'sequence'>,
  before: EdgeRecord | undefined,
  now: Instant,
): Instant {
  const isSame = before?.podUid === podUid && before.bootId === bootId && before.sequence === sequence;
  return isSame ? before.heardAt : now;
}

/** Tells lives apart, of one edge and of others. */
export const lifeOf = ({ key, bootId }: Pick<EdgeRecord, 'key' | 'bootId'>): string => `${key} ${bootId ?? ''}`;

export const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const NOTHING = { models: new Map(), inFlight: new Map(), acks: new Map(), orders: [] } as const;

function readModel(
  model: EdgeReportBody['models'][number],
  earlier: EdgeRecord['models'] | undefined,
  now: Instant,
): [PresetUid, SeenModel] {
  const { deploymentUid, preset, inFlight, waiting, oldestWaitSeconds, startedTotal, idleSeconds } = model;
  const uid = clusterPresetUid(deploymentUid, preset);
  const last = earlier?.get(uid);
  const ago = (seconds: number): Instant => instant(now - seconds * 1000);
  const isSameSilence = last?.startedTotal === startedTotal;
  return [
    uid,
    {
      inFlight,
      waiting,
      waitingSince: waiting === 0 ? undefined : better(last?.waitingSince, ago(oldestWaitSeconds)),
      idleSince:
        idleSeconds === undefined ? undefined : better(isSameSilence ? last.idleSince : undefined, ago(idleSeconds)),
      startedTotal,
    },
  ];
}

/** A report is old when it comes, so that of two estimates of one moment the earlier is the better one. */
const better = (known: Instant | undefined, estimate: Instant): Instant =>
  known === undefined || estimate < known ? estimate : known;

const readOrder = ({ id, kind, deploymentUid, preset, podUids }: EdgeReportBody['orders'][number]): ReportedOrder => ({
  id,
  kind: kind === 'Load' ? 'load' : 'unload',
  preset: clusterPresetUid(deploymentUid, preset),
  replicas: podUids.map(replicaId),
});
