import { setTimeout as pause } from 'node:timers/promises';
import { callsOf } from '../cluster/support/audit.ts';
import { onSignal } from '../cluster/support/on-signal.ts';
import { freeLease } from '../cluster/support/operator-lease.ts';
import type { AuditEvent } from '../cluster/support/audit-log.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import { describeMachine } from '../support/figures.ts';
import { startOperatorBed, type OperatorBed } from './operator/operator-bed.ts';
import { OperatorProcess } from './operator/operator-process.ts';
import { countCalls, renderGoals, renderQuiet, renderStarts, renderWanted } from './operator/operator-report.ts';
import type { Quiet, Start } from './operator/operator-report.ts';
import { timeToPod, type Came, type Wanted } from './operator/world.ts';

export interface OperatorExtent {
  readonly deployments: number;
  /** Of each ModelDeployment. */
  readonly presets: number;
  /** Starts of an operator that finds no statuses. */
  readonly firstStarts: number;
  /** Starts after those, which find all of them. */
  readonly startsAgain: number;
  /** Twice so long nothing happens. */
  readonly quietSeconds: number;
  /** Models that are wanted one after another, alone and among all. */
  readonly wanted: number;
}

export const fullExtent = (rounds: number): OperatorExtent => ({
  deployments: 1000,
  presets: 5,
  firstStarts: 2,
  startsAgain: 2,
  quietSeconds: 30,
  wanted: rounds,
});

interface Bed extends OperatorBed {
  readonly extent: OperatorExtent;
}

/** As many as one ModelDeployment may have. */
const MOST_PRESETS = 32;
const SAMPLE_MS = 20;
/** An answer comes a little before the audit log has it. */
const AUDIT_LAG_MS = 500;

/** Measures an operator, as it is installed, against a real API server: what it costs to read, to follow and to act. */
export async function benchOperator(
  extent: OperatorExtent,
  profileFolder: string | undefined,
  print: (text: string) => void,
): Promise<void> {
  print(`${describeMachine()}\n${extent.deployments} ModelDeployments with ${extent.presets} presets each\n`);
  await withCleanup(async (t) => {
    const bed = { ...(await startOperatorBed(t, profileFolder)), extent };
    const alone = await wantedAlone(bed);
    const starts: Start[] = [];
    let wanted: readonly Wanted[] = [];
    for (let round = 0; round < extent.firstStarts; round += 1) {
      await bed.world.clear();
      wanted = await bed.world.declare(extent.deployments, extent.presets);
      starts.push(await withOperator(bed, 'first', async (_operator, start) => Promise.resolve(start)));
    }
    for (let round = 1; round < extent.startsAgain; round += 1)
      starts.push(await withOperator(bed, 'again', async (_operator, start) => Promise.resolve(start)));
    const last = await withOperator(bed, 'again', async (operator, start, from) => {
      const quiet = await stayQuiet(bed, operator);
      const reads = countCalls((await callsSoFar(bed)).slice(from));
      return { start, quiet, reads, among: await wantEach(bed, wanted) };
    });
    const figures = { ...last, starts: [...starts, last.start], alone };
    print(`\n${renderStarts(figures.starts)}\n${renderQuiet(figures.quiet)}\n${renderWanted(figures)}\n`);
    print(renderGoals(figures));
  });
}

async function wantedAlone(bed: Bed): Promise<readonly number[]> {
  const wanted = await bed.world.declare(1, MOST_PRESETS);
  const alone = await withOperator(bed, 'first', async () => wantEach(bed, wanted));
  await bed.world.clear();
  return alone;
}

async function wantEach({ world, extent, cluster }: Bed, wanted: readonly Wanted[]): Promise<readonly number[]> {
  const came: Came[] = [];
  for (const one of wanted.slice(0, extent.wanted)) came.push(await world.want(one));
  await pause(AUDIT_LAG_MS);
  const log = await cluster.auditLog();
  return came.map((one) => timeToPod(log, one));
}

/** Starts an operator, works with it when every ModelDeployment has its status, and ends it. */
async function withOperator<T>(
  bed: Bed,
  kind: Start['kind'],
  work: (operator: OperatorProcess, start: Start, from: number) => Promise<T>,
): Promise<T> {
  await freeLease(bed.cluster.api);
  const from = (await callsSoFar(bed)).length;
  const operator = new OperatorProcess(bed.start);
  const hook = async (): Promise<void> => operator.stop();
  const forget = onSignal(hook);
  bed.t.after(hook);
  const start = await observeStart(bed, operator, kind, from);
  const result = await work(operator, start, from);
  await hook();
  forget();
  return result;
}

async function observeStart(bed: Bed, operator: OperatorProcess, kind: Start['kind'], from: number): Promise<Start> {
  let connections = 0;
  const sampling = setInterval(() => {
    connections = Math.max(connections, operator.connections());
  }, SAMPLE_MS);
  const [operating] = await Promise.all([operator.until('operating'), bed.world.untilTold()]);
  const told = performance.now() - operator.startedAt;
  clearInterval(sampling);
  await pause(AUDIT_LAG_MS);
  const calls = countCalls((await callsSoFar(bed)).slice(from));
  return {
    kind,
    operating,
    told,
    ...(await operator.delays()),
    resident: operator.mostResident(),
    cpuSeconds: operator.cpuSeconds(),
    connections,
    statuses: sumOf(calls, 'patch corral.dev/modeldeployments/status'),
  };
}

/** Twice as long as told: first its delays are looked at, then nobody looks, and what it takes is its own. */
async function stayQuiet(bed: Bed, operator: OperatorProcess): Promise<Quiet> {
  await operator.delays();
  const from = (await callsSoFar(bed)).length;
  const seconds = bed.extent.quietSeconds;
  await pause(seconds * 1000);
  const delays = await operator.delays('rest');
  const cpuBefore = operator.cpuSeconds();
  await pause(seconds * 1000);
  return {
    seconds,
    cpuSeconds: operator.cpuSeconds() - cpuBefore,
    ...delays,
    connections: operator.connections(),
    resident: operator.mostResident(),
    calls: countCalls((await callsSoFar(bed)).slice(from)),
  };
}

/** None is none: a call that was not made is not counted. */
function sumOf(calls: ReadonlyMap<string, number>, right: string): number {
  const count = calls.get(right);
  return count === undefined ? 0 : count;
}

const callsSoFar = async ({ cluster }: Bed): Promise<readonly AuditEvent[]> => callsOf(cluster, 'operator');
