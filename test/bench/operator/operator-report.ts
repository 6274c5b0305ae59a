import { renderTable, spreadOf } from '../../support/figures.ts';
import type { AuditEvent } from '../../cluster/support/audit-log.ts';
import { atMost, renderGoal, type Goal } from '../edge/edge-report.ts';
import { rightOf } from '../../cluster/support/audit.ts';

/** One start of an operator, until every ModelDeployment had its status. Times in milliseconds, memory in MiB. */
export interface Start {
  readonly kind: 'first' | 'again';
  /** Until everything was read and planned for the first time. */
  readonly operating: number;
  readonly told: number;
  readonly p99: number;
  readonly max: number;
  readonly resident: number;
  readonly cpuSeconds: number;
  readonly connections: number;
  readonly statuses: number;
}

/** Twice some time in which nothing happened in the cluster: once with a look at the delays, and once without. */
export interface Quiet {
  /** Each of them. */
  readonly seconds: number;
  /** While nobody looked. */
  readonly cpuSeconds: number;
  readonly p99: number;
  readonly max: number;
  readonly connections: number;
  readonly resident: number;
  /** What the operator called in both times, by verb and kind. */
  readonly calls: ReadonlyMap<string, number>;
}

export interface OperatorFigures {
  readonly starts: readonly Start[];
  readonly quiet: Quiet;
  /** Lists and watches since the last start, by verb and kind. */
  readonly reads: ReadonlyMap<string, number>;
  /** From the report that a model is wanted to its pod, in milliseconds. */
  readonly alone: readonly number[];
  readonly among: readonly number[];
}

const LEASE_RENEWAL = 'update coordination.k8s.io/leases';
const READS = ['get', 'list', 'watch'];

/** How often each call was made. The further pages of a list belong to its first. */
export function countCalls(events: readonly AuditEvent[]): ReadonlyMap<string, number> {
  const calls = events.filter(({ requestURI }) => !/[?&]continue=/u.test(requestURI));
  return new Map([...Map.groupBy(calls, rightOf)].map(([right, same]) => [right, same.length]));
}

/** Writes other than renewals of the Lease. */
export const countWrites = (calls: ReadonlyMap<string, number>): number =>
  sum([...calls].filter(([right]) => right !== LEASE_RENEWAL && !READS.some((verb) => right.startsWith(`${verb} `))));

const sum = (calls: readonly (readonly [string, number])[]): number => calls.reduce((all, [, count]) => all + count, 0);

/** How often the kind was listed or watched of which that happened most. */
export const mostReads = (reads: ReadonlyMap<string, number>, verb: 'list' | 'watch'): number =>
  Math.max(0, ...[...reads].filter(([right]) => right.startsWith(`${verb} `)).map(([, count]) => count));

export function renderStarts(starts: readonly Start[]): string {
  const header = ['start', 'operating ms', 'all told ms', 'delay p99 ms', 'max ms', 'peak MiB', 'CPU s', 'connections', 'statuses']; // prettier-ignore
  const rows = starts.map((one) => [
    one.kind,
    ...[one.operating, one.told, one.p99, one.max, one.resident].map((figure) => figure.toFixed(0)),
    one.cpuSeconds.toFixed(1),
    ...[one.connections, one.statuses].map(String),
  ]);
  return renderTable(header, rows);
}

export function renderWanted({ alone, among }: Pick<OperatorFigures, 'alone' | 'among'>): string {
  const rows = [
    { name: 'one ModelDeployment', times: alone },
    { name: 'among all', times: among },
  ].map(({ name, times }) => {
    const { min, median, max } = spreadOf(times);
    return [name, ...[min, median, max].map((ms) => ms.toFixed(1))];
  });
  return renderTable(['from wanted to the pod, ms', 'min', 'median', 'max'], rows);
}

export function renderQuiet({ seconds, calls, connections, resident, p99, max }: Quiet): string {
  const made = [...calls].map(([right, count]) => `${count} x ${right}`).join(', ');
  return (
    `twice ${seconds} s in which nothing happens: ${made}; ${connections} connections, ` +
    `${resident.toFixed(0)} MiB at the most since the start, event loop delay p99 ${p99.toFixed(0)} ms, max ${max.toFixed(0)} ms\n`
  );
}

/** The worst of the starts counts, and the median of what was wanted. */
export function goalsOf({ starts, quiet, reads, alone, among }: OperatorFigures): readonly Goal[] {
  const worst = (of: (start: Start) => number): number => Math.max(...starts.map(of));
  const ms = { unit: ' ms', digits: 0 };
  return [
    atMost(
      'read and planned within 10 s',
      worst(({ operating }) => operating),
      10_000,
      ms,
    ),
    atMost(
      'event loop delay p99 at most 50 ms',
      worst(({ p99 }) => p99),
      50,
      ms,
    ),
    atMost(
      'event loop delay at most 200 ms',
      worst(({ max }) => max),
      200,
      ms,
    ),
    atMost(
      'memory at most 512 MiB',
      worst(({ resident }) => resident),
      512,
      { unit: ' MiB', digits: 0 },
    ),
    atMost('nothing written while nothing happens', countWrites(quiet.calls), 0, { digits: 0 }),
    atMost('at most 1 % of a core while nothing happens', (100 * quiet.cpuSeconds) / quiet.seconds, 1, { unit: ' %' }),
    atMost('each kind listed once to start and once to lead', mostReads(reads, 'list'), 2, { digits: 0 }),
    atMost('each kind watched once', mostReads(reads, 'watch'), 1, { digits: 0 }),
    atMost('alone, a pod at most 50 ms after it is wanted', spreadOf(alone).median, 50, { unit: ' ms', digits: 1 }),
    atMost('among all, the same', spreadOf(among).median, 50, { unit: ' ms', digits: 1 }),
    atMost('at rest a connection for each kind, one for the Lease, one for the rest', quiet.connections, kindsWatched(reads) + 2, { digits: 0 }), // prettier-ignore
  ];
}

const kindsWatched = (reads: ReadonlyMap<string, number>): number =>
  [...reads.keys()].filter((right) => right.startsWith('watch ')).length;

export const renderGoals = (figures: OperatorFigures): string => goalsOf(figures).map(renderGoal).join('');
