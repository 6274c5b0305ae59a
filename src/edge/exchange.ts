import type { Account, InFlight, Waiting } from '../activity/ledger.ts';
import { assertNever } from '../domain/assert-never.ts';
import type { UpstreamError } from '../domain/ended-request.ts';
import type { ReplicaId } from '../domain/ids.ts';
import { since, type Instant } from '../domain/units.ts';
import type { ReadyReplica, Route } from '../routing/route.ts';
import { admit, type Admission } from './admission.ts';
import { Attempt, type AttemptEvents, type OutgoingRequest } from './attempt.ts';
import type { Held } from './hold-queue.ts';
import { refuse, type Refusal } from './refusal.ts';
import { modelNotFound, queueFull, refusalOf, shuttingDown, waitTimeout } from './route-refusals.ts';
import type { EdgeContext, Visit } from './visit.ts';

/** Attempts after the first, where nothing was sent. */
const MAX_RETRIES = 2;
/** A replica that nobody listens at is tried again after this, in milliseconds, unless a new table says more before. */
const RETRY_PAUSE = 250;

/** Where the request is. In every phase it is counted in the ledger exactly as the phase says. */
type Phase =
  | { readonly kind: 'arrived' }
  | { readonly kind: 'held'; readonly waiting: Waiting; readonly since: Instant; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'sent'; readonly lease: InFlight; readonly replica: ReplicaId; readonly attempt: Attempt }
  | { readonly kind: 'over' };

/** What a request asks for, and of whom. */
export interface Ask {
  /** The name that the client used. */
  readonly name: string;
  readonly account: Account;
  readonly outgoing: OutgoingRequest;
}

/** One request for a model: held until a replica is ready, sent to it, and ended exactly once. */
export class Exchange implements Held {
  readonly #edge: EdgeContext;
  readonly #visit: Visit;
  readonly #ask: Ask;
  #phase: Phase = { kind: 'arrived' };
  #retries = 0;
  #avoid: ReplicaId | undefined;

  constructor(edge: EdgeContext, visit: Visit, ask: Ask) {
    this.#edge = edge;
    this.#visit = visit;
    this.#ask = ask;
  }

  /** Reserves and goes on, in the tick of the look-up that found `route`. */
  begin(route: Route): void {
    this.#visit.release = () => {
      this.#release();
    };
    this.#visit.breakOff = (refusal) => {
      if (this.#phase.kind === 'sent') this.#phase.attempt.breakOff(refusal);
      else this.#visit.res.destroy();
    };
    this.#follow(this.#admit(route));
  }

  reconsider(): void {
    if (this.#phase.kind === 'held') this.#follow(this.#admitAgain());
  }

  turnAway(): void {
    this.#fail(shuttingDown);
  }

  #admit(route: Route | undefined): Admission {
    const { ledger, upstreams } = this.#edge;
    const inFlight = (replica: ReplicaId): number => ledger.inFlight(replica);
    const lastDispatch = (replica: ReplicaId): number => upstreams.lastDispatch(replica);
    return admit(route, { inFlight, lastDispatch }, this.#avoid);
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
        if (this.#phase.kind !== 'held') this.#hold(admission.route);
        return;
      case 'dispatch':
        this.#dispatch(admission.replica);
        return;
      default:
        assertNever(admission);
    }
  }

  #hold(route: Route): void {
    const { account } = this.#ask;
    const { maxWaiting, maxWait } = route.preset.queue;
    if (account.waiting >= maxWaiting) {
      this.#fail(queueFull(route));
      return;
    }
    const table = this.#edge.board.read();
    const now = this.#edge.now();
    // Counted anew before the old count ends: in between, the preset would look unused.
    const waiting = account.wait(now);
    this.#release();
    const timer = setTimeout(
      () => {
        this.#stopWaiting();
      },
      Math.max(0, maxWait - this.#visit.waited),
    );
    this.#phase = { kind: 'held', waiting, since: now, timer };
    this.#edge.holds.join(account.uid, this);
    if (this.#avoid !== undefined) this.#forgiveLater(this.#avoid);
    // Counting a first waiter may make the control loop publish before this request stood in line.
    if (this.#edge.board.read() !== table) this.reconsider();
  }

  #forgiveLater(replica: ReplicaId): void {
    setTimeout(() => {
      if (this.#avoid === replica) this.#avoid = undefined;
      this.reconsider();
    }, RETRY_PAUSE);
  }

  #stopWaiting(): void {
    const route = this.#edge.board.read().findByUid(this.#ask.account.uid);
    if (route === undefined) this.#fail(modelNotFound(this.#ask.name));
    else this.#fail(waitTimeout(route, route.preset.queue.maxWait, this.#visit.access));
  }

  #dispatch(replica: ReadyReplica): void {
    const upstream = this.#edge.upstreams.dispatchTo(replica.id);
    if (upstream === undefined) throw new Error('the route table has a replica without connections');
    const lease = this.#takeLease(replica.id);
    const events: AttemptEvents = {
      untouched: (error) => {
        this.#report(replica.id, 'unreachable', error);
        this.#retry(replica.id);
      },
      unanswered: (error) => {
        this.#report(replica.id, 'unanswered', error);
        this.#fail(upstreamFailed('the model stopped before it answered'));
      },
      broken: (error) => {
        this.#report(replica.id, 'broken', error);
        this.#release();
      },
    };
    const attempt = new Attempt(this.#visit.res, events, this.#visit.meter);
    this.#phase = { kind: 'sent', lease, replica: replica.id, attempt };
    attempt.start(upstream, this.#ask.outgoing);
  }

  /** Counts the request at the replica before it stops counting where it was. */
  #takeLease(replica: ReplicaId): InFlight {
    const phase = this.#phase;
    if (phase.kind !== 'held') {
      const lease = this.#ask.account.begin(replica, this.#edge.now());
      this.#release();
      return lease;
    }
    this.#leaveQueue(phase.timer, phase.since);
    return phase.waiting.dispatch(replica, this.#edge.now());
  }

  /** Nothing was sent: the request takes its route again, as if it had just come. */
  #retry(replica: ReplicaId): void {
    if (this.#retries === MAX_RETRIES) {
      this.#fail(upstreamFailed('the model cannot be reached'));
      return;
    }
    this.#retries += 1;
    this.#avoid = replica;
    this.#follow(this.#admitAgain());
  }

  #report(replica: ReplicaId, kind: UpstreamError, error: Error): void {
    this.#visit.upstreamError = kind;
    this.#edge.log.warn('replica failed a request', { model: this.#visit.model, replica, reason: error.message });
  }

  #fail(refusal: Refusal): void {
    this.#release();
    refuse(this.#visit.res, refusal);
  }

  #leaveQueue(timer: NodeJS.Timeout, heldSince: Instant): void {
    clearTimeout(timer);
    this.#edge.holds.leave(this.#ask.account.uid, this);
    this.#visit.waited += since(heldSince, this.#edge.now());
  }

  /** Ends what the phase holds. The phase changes first: whoever hears of the end may publish, and come back here. */
  #release(): void {
    const phase = this.#phase;
    this.#phase = { kind: 'over' };
    switch (phase.kind) {
      case 'held':
        this.#leaveQueue(phase.timer, phase.since);
        phase.waiting.leave(this.#edge.now());
        return;
      case 'sent':
        phase.attempt.abort();
        this.#edge.upstreams.ending(phase.replica);
        phase.lease.end(this.#edge.now());
        return;
      case 'arrived':
      case 'over':
        return;
      default:
        assertNever(phase);
    }
  }
}

const upstreamFailed = (message: string): Refusal => ({ status: 502, code: 'upstream_failed', message });
