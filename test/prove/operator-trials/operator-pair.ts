import { freeLease } from '../../cluster/support/operator-lease.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import type { ApiProxy } from './api-proxy.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { Stage } from './stage.ts';
import { kindOf } from './write-kind.ts';

/** One of two places for an operator. */
interface Seat {
  /** As the audit log names whoever sits there. */
  readonly name: string;
  readonly url: string;
  readonly proxy: ApiProxy;
  readonly nodeFlags: readonly string[];
}

interface Seated {
  readonly seat: Seat;
  readonly operator: OperatorProcess;
}

/** For the first one and the second one. */
type NodeFlags = readonly [readonly string[], readonly string[]];

/** Two operators, each with a way of its own to the API server, so that the audit log tells them apart. */
export class OperatorPair {
  readonly #t: Cleanup;
  readonly #stage: Stage;
  #starts = 0;
  leader: Seated;
  standby: Seated;

  private constructor(t: Cleanup, stage: Stage, first: Seat, second: Seat) {
    this.#t = t;
    this.#stage = stage;
    this.leader = this.#sit(first);
    this.standby = this.#sit(second);
  }

  /** No other operator may run. Resolves when one leads and the other one stands by. */
  static async start(t: Cleanup, stage: Stage, flags: NodeFlags = [[], []]): Promise<OperatorPair> {
    await freeLease(stage.own.cluster.api);
    const open = async (name: string, nodeFlags: readonly string[]): Promise<Seat> => ({
      ...{ name, nodeFlags },
      ...(await stage.openProxy(t, name)),
    });
    const pair = new OperatorPair(t, stage, await open('operator-a', flags[0]), await open('operator-b', flags[1]));
    const { leader, standby } = pair;
    const isFirst = await Promise.race([
      leader.operator.untilOperating().then(() => true),
      standby.operator.untilOperating().then(() => false),
    ]);
    if (!isFirst) pair.swap();
    await pair.standby.operator.log.waitFor({ msg: 'standing by' });
    return pair;
  }

  /** The other one leads now. */
  swap(): void {
    [this.leader, this.standby] = [this.standby, this.leader];
  }

  /** The leader is gone and the other one leads: another one is started in its place, and stands by when this resolves. */
  async refill(): Promise<void> {
    this.swap();
    this.standby = this.#sit(this.standby.seat);
    await this.standby.operator.log.waitFor({ msg: 'standing by' });
  }

  #sit(seat: Seat): Seated {
    this.#starts += 1;
    const { url: apiServer, nodeFlags } = seat;
    const name = `${seat.name}-${this.#starts}`;
    return { seat, operator: this.#stage.start(this.#t, { apiServer, name, nodeFlags }) };
  }
}

/** Resolves with the time of the next write that comes this way and is none of the Lease. */
export async function nextWrite({ proxy, name }: Pick<Seat, 'proxy' | 'name'>): Promise<number> {
  const written = Promise.withResolvers<number>();
  const timer = setTimeout(() => {
    written.reject(new Error(`${name} has written nothing within ${PATIENCE_MS / 1000} s`));
  }, PATIENCE_MS);
  proxy.onWritten = (write) => {
    if (kindOf(write) !== 'Lease') written.resolve(performance.now());
  };
  try {
    return await written.promise;
  } finally {
    clearTimeout(timer);
    proxy.onWritten = () => undefined;
  }
}

const PATIENCE_MS = 60_000;
