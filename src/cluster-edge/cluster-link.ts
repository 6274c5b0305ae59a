import type { ChangePlace, Ledger } from '../activity/ledger.ts';
import { EDGE_REPORTS, LEASES } from '../api/cluster/resources.ts';
import { readMember } from '../api/field-path.ts';
import { Alarm } from '../domain/alarm.ts';
import type { Orders } from '../edge/orders.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import type { Timers } from '../kube/timers.ts';
import type { Log } from '../platform/log.ts';
import type { RouteBoard } from '../routing/route.ts';
import { buildReport, type EdgeView } from './build-report.ts';
import { ClusterOrders } from './cluster-orders.ts';
import type { EdgeIdentity } from './edge-identity.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { OwnObject, type TakenOver } from './own-object.ts';
import { urgencyOf } from './report-budget.ts';
import { ReportWriter } from './report-writer.ts';
import { RouteFollower, type RouteFollowerParts } from './route-follower.ts';

export interface ClusterLinkParts {
  readonly api: KubeApi;
  readonly identity: EdgeIdentity;
  readonly readPresets: RouteFollowerParts['readPresets'];
  readonly readPod: RouteFollowerParts['readPod'];
  /** Something that was never used before, each time: names this life of the edge, and its orders. */
  readonly newId: () => string;
  readonly board: RouteBoard;
  readonly ledger: Ledger;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** A newer edge has our name. This one no longer counts, and has to end. */
  readonly onTakenOver: (error: TakenOver) => void;
}

/** What ties an edge to its cluster: routes from the API server to its board, and reports from its ledger to the operator. */
export class ClusterLink {
  /** What clients order, passed on to the operator. */
  readonly orders: Orders;
  readonly #parts: ClusterLinkParts;
  readonly #bootId: string;
  readonly #orders: ClusterOrders;
  readonly #follower: RouteFollower;
  readonly #report: OwnObject;
  readonly #writer: ReportWriter;
  readonly #lease: OwnObject;
  readonly #keeper: LeaseKeeper;
  #sequence = 0;
  #isEnding = false;
  /** Somebody else holds the Lease, and the report has not told yet whether it is a later edge. */
  #isLeaseLost = false;
  /** An order is open for a limited time. */
  readonly #settling: Alarm;

  constructor(parts: ClusterLinkParts) {
    this.#parts = parts;
    this.#bootId = parts.newId();
    this.#orders = this.#createOrders();
    this.#follower = this.#createFollower();
    this.#report = this.#own('EdgeReport', ['report', 'bootId']);
    this.#lease = this.#own('Lease', ['spec', 'holderIdentity']);
    this.#writer = this.#createWriter();
    this.#keeper = this.#createKeeper();
    this.orders = this.#clientOrders();
    this.#settling = new Alarm(parts.timers.wakeIn, () => {
      this.#settleOrders();
    });
    parts.ledger.onChange((change, place) => {
      this.#writer.changed(urgencyOf(change, () => this.#isEndAwaited(place)));
    });
  }

  /**
   * Tells of this edge, then lists what there is, then publishes; in this order, so that whoever closes a gate and lists the
   * edges afterwards knows of every edge that may have seen it open. Resolves early if `finish` comes first.
   */
  async start(): Promise<void> {
    await this.#writer.start();
    if (this.#isEnding) return;
    this.#keeper.start();
    await this.#follower.start();
  }

  /** To be called when the last request has ended. Resolves when what told of this edge is gone. */
  async finish(): Promise<void> {
    this.#isEnding = true;
    this.#settling.stop();
    await Promise.all([this.#follower.stop(), this.#keeper.stop(), this.#writer.stop()]);
    try {
      // An operator that looks between the two sees that nothing is in flight.
      if (this.#report.hasWritten) await this.#writeReport();
      await this.#report.remove();
      await this.#lease.remove();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.log.warn('the report is left to go with the pod', { reason });
    }
  }

  #createOrders(): ClusterOrders {
    const { newId, timers } = this.#parts;
    return new ClusterOrders({
      replicasOf: (preset) => this.#follower.replicasOf(preset),
      servesNow: (preset) => this.#follower.servesNow(preset),
      isDeclared: (preset) => this.#follower.declared.has(preset),
      isBackingOff: (preset) => this.#follower.isBackingOff(preset),
      newId,
      now: timers.now,
      onChange: (urgency) => {
        this.#writer.changed(urgency);
        this.#follower.publish();
      },
    });
  }

  #createFollower(): RouteFollower {
    const { api, readPresets, readPod, ledger, board, timers, log } = this.#parts;
    return new RouteFollower({
      api,
      readPresets,
      readPod,
      ledger,
      board,
      underOrders: (preset, told) => this.#orders.standing(preset, told),
      onPublished: ({ hasNewAcks, isRoomAwaited }) => {
        if (hasNewAcks) this.#writer.changed('waitedFor');
        if (isRoomAwaited) this.#writer.hurry();
        this.#settleOrders();
      },
      timers,
      log,
    });
  }

  #createKeeper(): LeaseKeeper {
    const { timers, log, wallClock } = this.#parts;
    // The lease is renewed every 3 s; what is followed is tried again up to half a minute later.
    const onReached = (): void => {
      this.#follower.retryNow();
    };
    const onTakenOver = (): void => {
      this.#isLeaseLost = true;
      this.#writer.changed('waitedFor');
    };
    return new LeaseKeeper({
      lease: this.#lease,
      bootId: this.#bootId,
      wallClock,
      timers,
      log,
      onReached,
      onTakenOver,
    });
  }

  #createWriter(): ReportWriter {
    const { timers, log, onTakenOver } = this.#parts;
    return new ReportWriter({
      write: async () => this.#writeReport(),
      isWorthRefreshing: () => {
        const { models, replicas, acks, orders } = buildReport(this.#view());
        return models.length + replicas.length + acks.length + orders.length > 0;
      },
      onTakenOver,
      timers,
      log,
    });
  }

  #own(kind: 'EdgeReport' | 'Lease', bootIdAt: readonly [string, string]): OwnObject {
    const { api, identity } = this.#parts;
    const [part, field] = bootIdAt;
    return new OwnObject({
      api,
      resource: kind === 'Lease' ? LEASES : EDGE_REPORTS,
      kind,
      identity,
      isOurs: (object) => readMember(object[part], field) === this.#bootId,
    });
  }

  #isEndAwaited({ preset, replica }: ChangePlace): boolean {
    return replica !== undefined && this.#follower.isEndAwaited(preset, replica);
  }

  /**
   * Everything is read in the tick of the call. A later edge writes its report before its Lease: where ours is taken after the Lease
   * was lost, there is none.
   */
  async #writeReport(): Promise<void> {
    const report = buildReport(this.#view());
    this.#sequence += 1;
    const isLeaseLost = this.#isLeaseLost;
    await this.#report.write({ report });
    if (!isLeaseLost) return;
    this.#isLeaseLost = false;
    this.#lease.takeBack();
  }

  #view(): EdgeView {
    const { ledger, identity, timers } = this.#parts;
    const presets = [...this.#follower.declared.keys()].flatMap((uid) => {
      const tally = ledger.tally(uid);
      return tally === undefined ? [] : [{ uid, hasReplica: this.#follower.replicasOf(uid).length > 0, tally }];
    });
    return {
      identity,
      bootId: this.#bootId,
      sequence: this.#sequence,
      now: timers.now(),
      presets,
      busy: ledger.busyReplicas(),
      acks: this.#follower.acks,
      orders: this.#orders.list(),
    };
  }

  #settleOrders(): void {
    this.#settling.setTo(this.#orders.settle(), this.#parts.timers.now());
  }

  #clientOrders(): Orders {
    return {
      reload: async () => {
        this.#follower.publish();
        return Promise.resolve({ ok: true });
      },
      load: (preset, waits) => this.#orders.load(preset, waits),
      unload: (preset, waits) => this.#orders.unload(preset, waits),
      replicasOf: (preset) => this.#follower.replicasOf(preset).map(({ id }) => id),
    };
  }
}
