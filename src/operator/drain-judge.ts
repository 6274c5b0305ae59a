import type { Gate } from '../api/cluster/pod-marks.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { after } from '../domain/units.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import { judge, type Testimony, type Verdict } from './drain-verdict.ts';
import { DrainWitnesses, type EdgeLife } from './drain-witnesses.ts';
import { ASK_AFTER, EdgeInquiry, type Suspect } from './edge-inquiry.ts';
import type { EdgeRecord } from './edge-record.ts';
import type { EdgeRegistry } from './edge-registry.ts';
import { SlotWatch, type SlotWatchParts } from './slot-watch.ts';

/** A gate, and whether the API server is known to have it so. */
export interface KnownGate extends Gate {
  readonly confirmed: boolean;
}

export interface DrainJudgeParts {
  readonly api: KubeApi;
  readonly registry: EdgeRegistry;
  /** `undefined`: there is no such pod, or nobody can read its gate. */
  readonly gateOf: (replica: ReplicaId) => KnownGate | undefined;
  /** Lists by quorum, takes in what is listed, and returns every edge that may have seen a gate open before the call. */
  readonly listEdges: () => Promise<readonly EdgeLife[]>;
  /** One that stands by asks no replica anything. */
  readonly isLeading: () => boolean;
  /** Asks a replica itself whether it is in use. */
  readonly lookAtSlots: SlotWatchParts['look'];
  /** The edge's pod is gone or has ended. */
  readonly onDead: (record: EdgeRecord) => void;
  /** A verdict may be another than before. */
  readonly onNews: () => void;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Says what is in flight behind closed gates: whose word it takes, who of them is silent, and what the slots of the pod show
 * where nobody is left but those. It keeps the evidence; `judge` decides.
 */
export class DrainJudge {
  readonly #parts: DrainJudgeParts;
  readonly #witnesses: DrainWitnesses;
  readonly #inquiry: EdgeInquiry;
  readonly #slots: SlotWatch;

  constructor(parts: DrainJudgeParts) {
    const { api, listEdges, lookAtSlots, onDead, onNews, timers, log } = parts;
    this.#parts = parts;
    const follow = (): void => {
      this.#followSlots();
    };
    const onFound = (): void => {
      this.follow();
      onNews();
    };
    this.#witnesses = new DrainWitnesses({ list: listEdges, onFound, timers, log });
    this.#inquiry = new EdgeInquiry({ api, suspects: () => this.#suspects(), onDead, onAsked: follow, timers, log });
    const onLooked = (): void => {
      follow();
      onNews();
    };
    this.#slots = new SlotWatch({ look: lookAtSlots, onLooked, timers });
  }

  /** From now on there is somebody to ask. */
  begin(): void {
    this.#witnesses.begin();
  }

  /** The API server has the gate closed with this epoch. */
  closed(replica: ReplicaId, epoch: number): void {
    this.#witnesses.closed(replica, epoch);
  }

  /** To be called when edges or gates have changed. */
  follow(): void {
    this.#witnesses.keepOnly((replica, epoch) => {
      const gate = this.#parts.gateOf(replica);
      return gate?.closed === true && gate.epoch === epoch;
    });
    this.#inquiry.follow();
    this.#followSlots();
  }

  /** `undefined`: the gate is not known to be closed, or who is to be asked is not known yet. */
  find(replica: ReplicaId): Verdict | undefined {
    const gate = this.#parts.gateOf(replica);
    if (gate?.closed !== true || !gate.confirmed) return undefined;
    const witnesses = this.#witnesses.find(replica, gate.epoch);
    if (witnesses === undefined) return undefined;
    const owing = new Set(witnesses.filter((life) => this.#owes(life, replica, gate.epoch)).map(({ key }) => key));
    const testimonies = this.#records.map((record): Testimony => {
      const [owes, inFlight] = [owing.has(record.key), record.inFlight.get(replica)];
      const isSilent = this.#inquiry.isSilent(record);
      return { edge: record.name, owes, inFlight: inFlight === undefined ? 0 : inFlight, isSilent };
    });
    return judge(testimonies, this.#slots.find(replica), this.#parts.timers.now());
  }

  /** Asks nobody anything more. Resolves when nothing is on its way. */
  async stop(): Promise<void> {
    await Promise.all([this.#witnesses.stop(), this.#inquiry.stop()]);
    await this.#slots.stop();
  }

  get #records(): readonly EdgeRecord[] {
    return this.#parts.registry.all.map(({ record }) => record);
  }

  /** A life that is over, proven or replaced by a later one, owes nothing. Of which life a report is that cannot be read nobody knows. */
  #owes({ key, bootId }: EdgeLife, replica: ReplicaId, epoch: number): boolean {
    const record = this.#parts.registry.find(key)?.record;
    if (record === undefined) return false;
    const isLaterLife = bootId !== undefined && record.bootId !== undefined && record.bootId !== bootId;
    return !isLaterLife && record.acks.get(replica) !== epoch;
  }

  #suspects(): readonly Suspect[] {
    const closings = this.#witnesses.known;
    const owing = closings.flatMap(({ replica, epoch, witnesses }) =>
      witnesses.filter((life) => this.#owes(life, replica, epoch)).map(({ key }) => key),
    );
    const awaited = new Set(owing);
    // One that has requests in flight is heard of again before long, while it lives.
    const now = this.#parts.timers.now();
    const isOverdue = ({ heardAt, inFlight }: EdgeRecord): boolean =>
      after(heardAt, ASK_AFTER) <= now && closings.some(({ replica }) => inFlight.has(replica));
    return this.#parts.registry.all.map(({ record, hasLeft }) => ({
      record,
      isAwaited: hasLeft || awaited.has(record.key) || isOverdue(record),
    }));
  }

  /** Looks at the slots of those that only silent edges keep from being stopped. */
  #followSlots(): void {
    const { isLeading, log } = this.#parts;
    const silent = (isLeading() ? this.#witnesses.known : []).flatMap(({ replica }) => {
      const verdict = this.find(replica);
      return verdict?.areSilent === true ? [{ replica, edges: verdict.unheard }] : [];
    });
    const added = this.#slots.follow(silent.map(({ replica }) => replica));
    for (const { replica, edges } of silent.filter((one) => added.includes(one.replica))) {
      log.warn('edges are silent: looking at the slots of a replica that drains', { replica, edges });
    }
  }
}
