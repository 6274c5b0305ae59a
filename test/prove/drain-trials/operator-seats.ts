import { readFile } from 'node:fs/promises';
import type { TestCluster } from '../../cluster/support/test-cluster.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { ApiProxy } from '../operator-trials/api-proxy.ts';
import type { Mirror } from '../operator-trials/mirror.ts';
import { OperatorProcess } from '../operator-trials/operator-process.ts';
import { freeLease } from '../../cluster/support/operator-lease.ts';
import { componentToken } from '../../cluster/support/create-token.ts';
import { makeSystemPod } from './system-pods.ts';

export interface OperatorSeatsParts {
  readonly cluster: TestCluster;
  readonly pods: Mirror;
  readonly program: readonly string[];
}

/** A pod for an operator, and who runs there. */
interface Seat {
  readonly name: string;
  readonly proxy: ApiProxy;
  readonly url: string;
  operator: OperatorProcess;
}

/** What becomes of the Lease of a leader that was killed: it is given back for it, or has to run out. */
export type LeaseEnd = 'given back' | 'left alone';

/** Two operators, of which one leads; one that has ended is started again in its pod. */
export class OperatorSeats {
  readonly #t: Cleanup;
  readonly #parts: OperatorSeatsParts;
  readonly #seats: readonly [Seat, Seat];
  #leading = 0;

  private constructor(t: Cleanup, parts: OperatorSeatsParts, seats: readonly [Seat, Seat]) {
    this.#t = t;
    this.#parts = parts;
    this.#seats = seats;
  }

  static async start(t: Cleanup, parts: OperatorSeatsParts): Promise<OperatorSeats> {
    await freeLease(parts.cluster.api);
    const first = await openSeat(t, parts, 'operator-a');
    await first.operator.untilOperating();
    const second = await openSeat(t, parts, 'operator-b');
    await second.operator.log.waitFor({ msg: 'standing by' });
    return new OperatorSeats(t, parts, [first, second]);
  }

  get leader(): Seat {
    return this.#seats[this.#leading === 0 ? 0 : 1];
  }

  get standby(): Seat {
    return this.#seats[this.#leading === 0 ? 1 : 0];
  }

  /** Kills the leader, and resolves when it is dead. */
  async killLeader(): Promise<void> {
    const { operator } = this.leader;
    operator.kill('SIGKILL');
    await operator.exited;
  }

  /** The leader has ended, or is about to: resolves when the other one leads, and another one stands by in its place. */
  async handOver(lease: LeaseEnd): Promise<void> {
    const old = this.leader;
    await old.operator.exited;
    if (lease === 'given back') await freeLease(this.#parts.cluster.api);
    await this.standby.operator.untilOperating();
    this.#leading = 1 - this.#leading;
    old.operator = startOperator(this.#t, this.#parts, old);
    await old.operator.log.waitFor({ msg: 'standing by' });
  }

  /**
   * From now on whoever ends by itself is started again at once, as by a kubelet that has not done so lately. What is returned
   * ends that, with how each has ended; `handOver` needs both to be there again, and `findLeader` to be called before.
   */
  keep(): () => readonly string[] {
    const ends: string[] = [];
    let isOver = false;
    const keepSeat = async (seat: Seat): Promise<void> => {
      for (;;) {
        const { code, signal } = await seat.operator.exited;
        // Nobody else kills, but for those who clear up.
        if (isOver || signal === 'SIGKILL') return;
        ends.push(`${seat.name}: ${signal ?? String(code)}`);
        seat.operator = startOperator(this.#t, this.#parts, seat);
      }
    };
    for (const seat of this.#seats) void keepSeat(seat);
    return () => {
      isOver = true;
      return ends;
    };
  }

  /** Whoever of them is there leads or stands by: resolves when it is known which one leads. */
  async findLeader(): Promise<void> {
    const led = this.#seats.map(async ({ operator }, index) => operator.untilOperating().then(() => index));
    this.#leading = await Promise.any(led);
    await this.standby.operator.log.waitFor({ msg: 'standing by' });
  }
}

async function openSeat(t: Cleanup, parts: OperatorSeatsParts, name: string): Promise<Seat> {
  const { cluster, pods } = parts;
  const pod = await makeSystemPod(cluster, pods, { name, component: 'operator' });
  const [ca, token] = await Promise.all([
    readFile(cluster.caFile, 'utf8'),
    componentToken(cluster.api, 'operator', pod),
  ]);
  const proxy = new ApiProxy(t, { server: cluster.server, ca, token, name: `corral/${name}` });
  const url = await proxy.listen();
  return { name, proxy, url, operator: startOperator(t, parts, { name, url }) };
}

const startOperator = (
  t: Cleanup,
  { program }: OperatorSeatsParts,
  { name, url }: Pick<Seat, 'name' | 'url'>,
): OperatorProcess => new OperatorProcess(t, { program, apiServer: url, name });
