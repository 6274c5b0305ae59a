import { freeLease } from '../cluster/support/operator-lease.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine, renderTable, spreadOf } from '../support/figures.ts';
import { startOperatorBed, type OperatorBed } from './operator/operator-bed.ts';
import { OperatorProcess } from './operator/operator-process.ts';
import { timeToPod, type Came } from './operator/world.ts';
import { poison, POISONS, type Poison } from './writes/poison.ts';

export interface WritesExtent {
  /** ModelDeployments of which one cannot be written. */
  readonly deployments: number;
  /** Of the others, how many are wanted one after another. */
  readonly wanted: number;
}

export const fullExtent = (rounds: number): WritesExtent => ({ deployments: 200, wanted: rounds });

interface Bed extends OperatorBed {
  readonly extent: WritesExtent;
}

/** Measures what the rest of a cluster notices of one ModelDeployment that cannot be written, and is wanted all the time. */
export async function benchWrites(extent: WritesExtent, print: (text: string) => void): Promise<void> {
  print(`${describeMachine()}\n${extent.deployments} ModelDeployments, of which one is poisoned\n\n`);
  await withCleanup(async (t) => {
    const bed = { ...(await startOperatorBed(t)), extent };
    // The first start of a program is slower than all that follow.
    await withPoison(bed, 'none');
    const rows: string[][] = [];
    for (const kind of POISONS) rows.push(rowOf(kind, await withPoison(bed, kind)));
    print(renderTable(['its writes', 'others told ms', 'pod min ms', 'median', 'max'], rows));
  });
}

interface Taken {
  /** From the start of the operator until all others had their statuses, in milliseconds. */
  readonly told: number;
  /** From the report that one of the others is wanted to its pod. */
  readonly wanted: readonly number[];
}

async function withPoison({ world, extent, cluster, t, start }: Bed, kind: Poison): Promise<Taken> {
  await world.clear();
  const [first, ...others] = await world.declare(extent.deployments, 1);
  if (first === undefined) throw new Error('there is nothing to be poisoned');
  const heal = await poison(t, cluster, { kind, name: first.deployment });
  await freeLease(cluster.api);
  const operator = new OperatorProcess(start);
  t.after(async () => operator.stop());
  await Promise.all([operator.until('operating'), world.untilTold(kind === 'none' ? undefined : first.deployment)]);
  const told = performance.now() - operator.startedAt;
  const came: Came[] = [];
  for (const one of others.slice(0, extent.wanted)) came.push(await world.want(one, [first]));
  await operator.stop();
  const log = await cluster.auditLog();
  const wanted = came.map((one) => timeToPod(log, one));
  await heal();
  return { told, wanted };
}

function rowOf(kind: Poison, { told, wanted }: Taken): string[] {
  const { min, median, max } = spreadOf(wanted);
  return [kind, ...[told, min, median, max].map((ms) => ms.toFixed(0))];
}
