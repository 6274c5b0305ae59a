import type { ModelName } from '../domain/ids.ts';
import type { KubeConnection, TransportOptions } from '../kube/transport.ts';
import type { ModelPlan } from '../routing/model-plan.ts';
import { WRITE_TIMEOUT } from './election.ts';
import { LeaderLease } from './leader-lease.ts';
import { Operator, type OperatorParts } from './operator.ts';

/** The name of the Lease that says which operator leads. */
export const OPERATOR_LEASE = 'corral-operator';

export interface OperatorReplicaParts extends Omit<OperatorParts, 'api'> {
  readonly connect: (options: Omit<TransportOptions, 'timers' | 'log'>) => KubeConnection;
  /** Of the Lease. */
  readonly namespace: string;
  /** Called once at most: this process may write nothing any more, and is to end. */
  readonly onLost: (reason: string) => void;
}

/** What a replica of the operator does now. */
export type OperatorStanding =
  | { readonly kind: 'reading'; readonly reason: string }
  | { readonly kind: 'planning' }
  /** `leader`: the name of its pod; `undefined`: nobody plans, as far as is known. */
  | { readonly kind: 'standby'; readonly leader: string | undefined };

/**
 * One of the operators of a cluster: it reads from the start, and plans and writes only while it leads. The lease has a
 * connection of its own, so that no burst of calls holds a renewal up.
 */
export class OperatorReplica {
  readonly #parts: OperatorReplicaParts;
  readonly #leaseApi: KubeConnection;
  readonly #api: KubeConnection;
  readonly #lease: LeaderLease;
  readonly #operator: Operator;

  constructor(parts: OperatorReplicaParts) {
    const { connect, onLost, ...rest } = parts;
    this.#parts = parts;
    const common = { callTimeout: WRITE_TIMEOUT, writeTimeout: WRITE_TIMEOUT };
    this.#leaseApi = connect({ ...common, whyNotWrite: () => this.#lease.whyNotClaim() });
    this.#api = connect({ writeTimeout: WRITE_TIMEOUT, whyNotWrite: () => this.#lease.whyNotWrite() });
    this.#operator = new Operator({ ...rest, api: this.#api });
    this.#lease = new LeaderLease({
      ...rest,
      api: this.#leaseApi,
      name: OPERATOR_LEASE,
      identity: identityOf(rest),
      // It is asked for each second; what is followed is tried again up to half a minute later.
      onReached: () => {
        this.#operator.retryNow();
      },
      onLeading: () => void this.#lead(),
      onLost,
    });
  }

  /** Begins to read, and stands for election. Resolves when everything was read, or if `stop` comes before. */
  async start(): Promise<void> {
    this.#lease.start();
    await this.#operator.start();
    const { kind } = this.standing();
    if (kind === 'standby') this.#parts.log.info('standing by');
  }

  get isLeading(): boolean {
    return this.#lease.isLeading;
  }

  /** Why it could not lead; `undefined`: it leads, or could at once. */
  whyNotReady(): string | undefined {
    return this.#operator.whyNotReady();
  }

  standing(): OperatorStanding {
    const reason = this.whyNotReady();
    if (reason !== undefined) return { kind: 'reading', reason };
    const { leader } = this.#lease;
    if (leader === identityOf(this.#parts))
      return this.#operator.isPlanning
        ? { kind: 'planning' }
        : { kind: 'reading', reason: 'it has just begun to lead' };
    return { kind: 'standby', leader: leader === undefined ? undefined : podOf(leader) };
  }

  /** How often an edge was presumed dead, so that a pod was stopped without its word. */
  get presumedDead(): number {
    return this.#operator.presumedDead;
  }

  /** What would become of a request for a model if it came now; `undefined`: nobody declares that name, or it does not plan. */
  plan(name: ModelName): ModelPlan | undefined {
    return this.#operator.plan(name);
  }

  /** Decides nothing more, ends its writes, and only then lets another one lead. Resolves when nothing is open. */
  async stop(): Promise<void> {
    // Who does not lead has nothing to finish.
    if (!this.isLeading) await this.#api.close();
    await this.#operator.stop();
    await this.#api.close();
    await this.#lease.stop();
    await this.#leaseApi.close();
  }

  async #lead(): Promise<void> {
    const { log } = this.#parts;
    log.info('leading');
    await this.#operator.lead();
    if (this.#operator.isPlanning) log.info('operating');
  }
}

/** Of one process: the name of its pod tells people where it is, and the nonce one life of it from the next. */
const identityOf = ({ instance, nonce }: Pick<OperatorParts, 'instance' | 'nonce'>): string => `${instance}_${nonce}`;

/** A pod's name has no underscore. */
const podOf = (identity: string): string => identity.replace(/_[^_]*$/u, '');
