import type { Account, InFlight, Ledger, Waiting } from '../activity/ledger.ts';
import type { ModelName, ReplicaId } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';
import { admit, type Admission } from '../edge/admission.ts';
import type { Held, HoldQueue } from '../edge/hold-queue.ts';
import type { RouteBoard } from '../routing/route.ts';

/** What a fake client works with: the real edge's parts without its sockets. */
export interface FakeEdge {
  readonly board: RouteBoard;
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly now: () => Instant;
}

/** How far a request has come. */
type State =
  | { readonly kind: 'new' }
  | { readonly kind: 'held'; readonly account: Account; readonly waiting: Waiting }
  | { readonly kind: 'streaming'; readonly replica: ReplicaId; readonly inFlight: InFlight }
  | { readonly kind: 'answered'; readonly how: 'served' | 'not-found' | 'refused' | 'left' };

/** One request, which goes through look-up, queue and ledger as the edge's do. */
export class FakeClient implements Held {
  readonly #edge: FakeEdge;
  readonly #name: ModelName;
  state: State = { kind: 'new' };

  constructor(edge: FakeEdge, name: ModelName) {
    this.#edge = edge;
    this.#name = name;
  }

  ask(): void {
    const route = this.#edge.board.read().find(this.#name);
    const account = route === undefined ? undefined : this.#edge.ledger.find(route.uid);
    if (account === undefined) this.#endWait('not-found');
    else this.#follow(account, admit(route, { inFlight: this.#inFlight, lastDispatch: () => 0 }, undefined));
  }

  reconsider(): void {
    if (this.state.kind !== 'held') return;
    const { account } = this.state;
    this.#follow(
      account,
      admit(
        this.#edge.board.read().findByUid(account.uid),
        { inFlight: this.#inFlight, lastDispatch: () => 0 },
        undefined,
      ),
    );
  }

  turnAway(): void {
    this.#endWait('refused');
  }

  /** The last byte is out. */
  finish(): void {
    if (this.state.kind !== 'streaming') return;
    const { inFlight } = this.state;
    this.state = { kind: 'answered', how: 'served' };
    inFlight.end(this.#edge.now());
  }

  leave(): void {
    this.#endWait('left');
  }

  readonly #inFlight = (replica: ReplicaId): number => this.#edge.ledger.inFlight(replica);

  #follow(account: Account, admission: Admission): void {
    if (admission.kind === 'gone') this.#endWait('not-found');
    else if (admission.kind === 'refuse') this.#endWait('refused');
    else if (admission.kind === 'dispatch') this.#dispatch(account, admission.replica.id);
    else if (this.state.kind === 'new') {
      this.state = { kind: 'held', account, waiting: account.wait(this.#edge.now()) };
      this.#edge.holds.join(account.uid, this);
    }
  }

  #dispatch(account: Account, replica: ReplicaId): void {
    const before = this.state;
    if (before.kind === 'held') this.#edge.holds.leave(account.uid, this);
    const now = this.#edge.now();
    const inFlight = before.kind === 'held' ? before.waiting.dispatch(replica, now) : account.begin(replica, now);
    this.state = { kind: 'streaming', replica, inFlight };
  }

  #endWait(how: 'not-found' | 'refused' | 'left'): void {
    const before = this.state;
    this.state = { kind: 'answered', how };
    if (before.kind !== 'held') return;
    this.#edge.holds.leave(before.account.uid, this);
    before.waiting.leave(this.#edge.now());
  }
}
