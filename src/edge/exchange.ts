import type { Account, InFlight, Waiting } from '../activity/ledger.ts';
import { assertNever } from '../domain/assert-never.ts';
import type { UpstreamError } from '../domain/ended-request.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { after, since, type Instant } from '../domain/units.ts';
import type { ReadyReplica, Route } from '../routing/route.ts';
import { admit, type Admission, type HoldAdmission } from './admission.ts';
import { Attempt, type AttemptEvents } from './attempt.ts';
import { giveBack } from './give-back.ts';
import type { Held } from './hold-queue.ts';
import type { Refusal } from './refusal.ts';
import type { OutgoingRequest } from './request-bytes.ts';
import {
  busy,
  full,
  modelNotFound,
  queueFull,
  queuesFull,
  refusalOf,
  shuttingDown,
  waitTimeout,
} from './route-refusals.ts';
import { brokenOff, unanswered, UNREACHABLE } from './upstream-failure.ts';
import { Unreached } from './unreached.ts';
import type { EdgeContext, Reservation, Visit } from './visit.ts';

/** Where the request is. In every phase it is counted in the ledger exactly as the phase says. */
type Phase =
  | { readonly kind: 'arrived' }
  | HeldPhase
  | { readonly kind: 'sent'; readonly lease: InFlight; readonly replica: ReplicaId; readonly attempt: Attempt }
  | { readonly kind: 'over' };

interface HeldPhase {
  readonly kind: 'held';
  /** As a demand, or for others to end. */
  waiting: Waiting;
  isForOthersToEnd: boolean;
  readonly limit: NodeJS.Timeout;
  /** Until a replica that nobody listened at is tried again. */
  readonly pause: NodeJS.Timeout | undefined;
  /** Since when what has passed is not in the visit's times yet, and whether its model has been loading since then. */
  counted: Instant;
  isLoading: boolean;
}

/** What a request asks for, and of whom. */
export interface Ask {
  /** The name that the client used. */
  readonly name: string;
  readonly account: Account;
  /** The answer is to come as an event stream. */
  readonly awaitsStream: boolean;
  readonly outgoing: OutgoingRequest;
}

/** One request for a model: held until a replica is ready, sent to it, and ended exactly once. */
export class Exchange implements Held, Reservation, AttemptEvents {
  readonly #edge: EdgeContext;
  readonly #visit: Visit;
  readonly #ask: Ask;
  #phase: Phase = { kind: 'arrived' };
  /** `undefined`: it has found somebody listening wherever it was sent. */
  #unreached: Unreached | undefined;

  constructor(edge: EdgeContext, visit: Visit, ask: Ask) {
    this.#edge = edge;
    this.#visit = visit;
    this.#ask = ask;
  }

  /** Reserves and goes on, in the tick of the look-up that found `route`. */
  begin(route: Route): void {
    this.#visit.reserved = this;
    this.#visit.counted = this.#edge.exchanges.take();
    if (this.#visit.counted) this.#follow(this.#admit(route));
    else this.#fail(busy(this.#edge.limits.maxInFlight));
  }

  reconsider(): void {
    if (this.#phase.kind === 'held') this.#follow(this.#admitAgain());
  }

  turnAway(): void {
    this.#fail(shuttingDown);
  }

  /** An answer may take hours: what it does not need is free for others before. */
  written(): void {
    const { body } = this.#ask.outgoing;
    if (body !== null) giveBack(body);
    this.#visit.share.release();
  }

  untouched(error: Error): void {
    if (this.#unreached === undefined) {
      // Once: it may be tried many times.
      this.#report('unreachable', error);
      this.#unreached = new Unreached(after(this.#edge.now(), this.#edge.limits.reachTimeout));
    }
    if (this.#phase.kind === 'sent') this.#unreached.avoid(this.#phase.replica);
    this.#retry(this.#unreached);
  }

  unanswered(error: Error): void {
    this.#report('unanswered', error);
    this.#fail(unanswered(error));
  }

  refused(refusal: Refusal): void {
    this.#fail(refusal);
  }

  broken(error: Error): void {
    this.#report('broken', error);
    this.#fail(brokenOff(error));
  }

  /** Ends what the phase holds. The phase changes first: whoever hears of the end may publish, and come back here. */
  release(): void {
    const phase = this.#phase;
    this.#phase = { kind: 'over' };
    switch (phase.kind) {
      case 'held':
        this.#leaveQueue(phase);
        phase.waiting.leave(this.#edge.now());
        return;
      case 'sent':
        phase.attempt.abort();
        this.#edge.upstreams.ending(phase.replica);
        phase.lease.end(this.#edge.now());
        this.#callNext();
        return;
      case 'arrived':
      case 'over':
        return;
      default:
        assertNever(phase);
    }
  }

  #admit(route: Route | undefined): Admission {
    const { ledger, upstreams } = this.#edge;
    const inFlight = (replica: ReplicaId): number => ledger.inFlight(replica);
    const lastDispatch = (replica: ReplicaId): number => upstreams.lastDispatch(replica);
    return admit(route, { inFlight, lastDispatch }, this.#unreached?.avoided);
  }

  /** By uid: the name may belong to another preset by now. */
  #admitAgain(): Admission {
    return this.#admit(this.#edge.board.read().findByUid(this.#ask.account.uid));
  }

  #follow(admission: Admission): void {
    switch (admission.kind) {
      case 'gone':
        this.#fail(modelNotFound(this.#ask.name));
        return;
      case 'refuse':
        this.#fail(refusalOf(admission.route, admission.refusal, this.#edge.now()));
        return;
      case 'hold':
        // The table knows by now: what comes next is another story.
        if (admission.route.replicas.length === 0) this.#unreached = undefined;
        if (this.#phase.kind === 'held') this.#holdOn(this.#phase, admission);
        else this.#hold(admission);
        return;
      case 'dispatch':
        this.#dispatch(admission.replica);
        return;
      default:
        assertNever(admission);
    }
  }

  #hold({ route, isForOthersToEnd }: HoldAdmission): void {
    const refusal = this.#noRoomToWait(route);
    if (refusal !== undefined) {
      this.#fail(refusal);
      return;
    }
    const { board, holds, limits } = this.#edge;
    const { account, awaitsStream } = this.#ask;
    const table = board.read();
    const now = this.#edge.now();
    // Counted anew before the old count ends: in between, the preset would look unused.
    const waiting = isForOthersToEnd ? account.queue() : account.wait(now);
    this.release();
    const times = { ...this.#startTimers(route), counted: now, isLoading: isLoading(route) };
    this.#phase = { kind: 'held', waiting, isForOthersToEnd, ...times };
    holds.join(account.uid, this);
    if (awaitsStream) this.#visit.answer.keepAlive(limits.heartbeatInterval);
    // Counting a first waiter may make the control loop publish before this request stood in line.
    if (board.read() !== table) this.reconsider();
  }

  /** What it waits for may be another thing than before: its replicas have come, or have gone. */
  #holdOn(phase: HeldPhase, { route, isForOthersToEnd }: HoldAdmission): void {
    this.#countTime(phase, isLoading(route));
    if (phase.isForOthersToEnd === isForOthersToEnd) return;
    const { account } = this.#ask;
    const before = phase.waiting;
    phase.isForOthersToEnd = isForOthersToEnd;
    const next = isForOthersToEnd ? account.queue() : account.wait(this.#edge.now());
    // Counting a first waiter may make the control loop publish, and by that this one be served, or wait for something else again.
    if (this.#phase !== phase || phase.waiting !== before) {
      next.end();
      return;
    }
    phase.waiting = next;
    before.end();
  }

  #noRoomToWait(route: Route): Refusal | undefined {
    const { holds, limits } = this.#edge;
    if (this.#ask.account.waiting >= route.preset.queue.maxWaiting) return queueFull(route);
    return holds.waiting >= limits.maxWaiting ? queuesFull(route, limits.maxWaiting) : undefined;
  }

  #startTimers({ preset }: Route): Pick<HeldPhase, 'limit' | 'pause'> {
    const left = Math.max(0, preset.queue.maxWait - this.#visit.waited);
    const limit = setTimeout(() => {
      this.#stopWaiting();
    }, left);
    return { limit, pause: this.#unreached === undefined ? undefined : this.#forgiveLater(this.#unreached) };
  }

  #forgiveLater(unreached: Unreached): NodeJS.Timeout {
    const pause = unreached.nextPause(this.#edge.now());
    return setTimeout(() => {
      unreached.forgive();
      this.reconsider();
    }, pause);
  }

  #stopWaiting(): void {
    const route = this.#edge.board.read().findByUid(this.#ask.account.uid);
    const isFull = this.#phase.kind === 'held' && this.#phase.isForOthersToEnd;
    if (route === undefined) this.#fail(modelNotFound(this.#ask.name));
    else if (isFull) this.#fail(full(route, route.preset.queue.maxWait));
    else this.#fail(waitTimeout(route, route.preset.queue.maxWait, this.#visit.access));
  }

  #dispatch(replica: ReadyReplica): void {
    const upstream = this.#edge.upstreams.dispatchTo(replica.id);
    if (upstream === undefined) throw new Error('the route table has a replica without connections');
    const lease = this.#takeLease(replica.id);
    const { answer } = this.#visit;
    answer.expectReplica();
    const attempt = new Attempt(this.#ask.outgoing, answer, ownHeaders(this.#visit), this);
    this.#phase = { kind: 'sent', lease, replica: replica.id, attempt };
    attempt.start(upstream);
  }

  /** Counts the request at the replica before it stops counting where it was. */
  #takeLease(replica: ReplicaId): InFlight {
    const phase = this.#phase;
    if (phase.kind !== 'held') {
      const lease = this.#ask.account.begin(replica, this.#edge.now());
      this.release();
      return lease;
    }
    this.#leaveQueue(phase);
    return phase.waiting.dispatch(replica, this.#edge.now());
  }

  /** Nothing was sent: the request takes its route again, as if it had just come. */
  #retry(unreached: Unreached): void {
    const admission = this.#admitAgain();
    const isLost = admission.kind === 'hold' && !admission.isForOthersToEnd && admission.route.replicas.length > 0;
    if (isLost && unreached.isOver(this.#edge.now())) this.#fail(UNREACHABLE);
    else this.#follow(admission);
  }

  /** The attempt which is under way has failed. */
  #report(kind: UpstreamError, error: Error): void {
    const replica = this.#phase.kind === 'sent' ? this.#phase.replica : undefined;
    this.#visit.upstreamError = kind;
    this.#edge.log.warn('replica failed a request', { model: this.#visit.model, replica, reason: error.message });
  }

  #fail(refusal: Refusal): void {
    this.release();
    const { answer, waited } = this.#visit;
    const { headers = [] } = refusal;
    answer.refuse(waited === 0 ? refusal : { ...refusal, headers: [...headers, ...waitHeaders(this.#visit)] });
  }

  /** Not within the callback in which this one has ended. */
  #callNext(): void {
    const { account } = this.#ask;
    if (account.waiting === 0) return;
    queueMicrotask(() => {
      this.#edge.holds.callNext(account.uid);
    });
  }

  #leaveQueue(phase: HeldPhase): void {
    clearTimeout(phase.limit);
    clearTimeout(phase.pause);
    this.#edge.holds.leave(this.#ask.account.uid, this);
    this.#countTime(phase, false);
  }

  /** Adds what has passed to the visit's times. */
  #countTime(phase: HeldPhase, isLoading: boolean): void {
    const now = this.#edge.now();
    const passed = since(phase.counted, now);
    this.#visit.waited += passed;
    if (phase.isLoading) this.#visit.loading += passed;
    phase.counted = now;
    phase.isLoading = isLoading;
  }
}

const isLoading = ({ phase }: Route): boolean => phase.kind === 'loading';

const NOT_HELD = ['x-corral-queue-ms', '0', 'x-corral-load-ms', '0'];

const ownHeaders = (visit: Visit): readonly string[] => (visit.waited === 0 ? NOT_HELD : waitHeaders(visit).flat());

/** How long a request was held, and the part of it in which its model was loading, in whole milliseconds. */
const waitHeaders = ({ waited, loading }: Visit): (readonly [string, string])[] => [
  ['x-corral-queue-ms', String(Math.round(waited))],
  ['x-corral-load-ms', String(Math.round(loading))],
];
