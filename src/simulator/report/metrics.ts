import type { Outcome } from '../outcome.ts';

/** One figure by which policies are compared. The smaller, the better. */
export interface Metric {
  /** For the head of a column. */
  readonly short: string;
  /** For the head of a chart. */
  readonly title: string;
  /** What is counted, as a clause. */
  readonly meaning: string;
  /** `undefined`: nobody was served, so that nobody's wait is known. */
  readonly valueOf: (outcome: Outcome) => number | undefined;
  readonly show: (value: number) => string;
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const whole = (value: number): string => grouped.format(value);
const oneDigit = (value: number): string => (value < 100 ? value.toFixed(1) : whole(value));
const inSeconds = (ms: number): string => `${oneDigit(ms / 1000)} s`;

export const METRICS: readonly Metric[] = [
  {
    short: 'cold starts',
    title: 'Cold starts',
    meaning: 'loads begun',
    valueOf: ({ coldStarts }) => coldStarts,
    show: whole,
  },
  {
    short: 'reloads/h',
    title: 'Reloads per hour',
    meaning: 'loads of a model that had been loaded before',
    valueOf: ({ reloadsPerHour }) => reloadsPerHour,
    show: oneDigit,
  },
  {
    short: 'p50 wait',
    title: 'Wait, p50',
    meaning: 'half of the requests waited no longer',
    valueOf: ({ wait }) => wait?.p50,
    show: inSeconds,
  },
  {
    short: 'p95 wait',
    title: 'Wait, p95',
    meaning: '95 of 100 requests waited no longer',
    valueOf: ({ wait }) => wait?.p95,
    show: inSeconds,
  },
  {
    short: 'p99 wait',
    title: 'Wait, p99',
    meaning: '99 of 100 requests waited no longer',
    valueOf: ({ wait }) => wait?.p99,
    show: inSeconds,
  },
  {
    short: 'max wait',
    title: 'Wait, the longest',
    meaning: 'no request that was served waited longer',
    valueOf: ({ wait }) => wait?.max,
    show: inSeconds,
  },
  {
    short: 'starved',
    title: 'Starved requests',
    meaning: 'gave up before they were served',
    valueOf: ({ starved }) => starved,
    show: whole,
  },
  {
    short: 'cut',
    title: 'Cut requests',
    meaning: 'killed while they were in flight',
    valueOf: ({ cut }) => cut,
    show: whole,
  },
  {
    short: 'GPU-hours',
    title: 'GPU-hours',
    meaning: 'hours for which replicas held room',
    valueOf: ({ gpuHours }) => gpuHours,
    show: oneDigit,
  },
];

/** A metric of an outcome in words. */
export function showMetric({ valueOf, show }: Metric, outcome: Outcome): string {
  const value = valueOf(outcome);
  return value === undefined ? 'none' : show(value);
}
