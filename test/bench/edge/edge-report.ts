import { renderTable, spreadOf } from '../../support/figures.ts';
import type { Rounds } from './bench.ts';

/** A column group of a report: one figure of each round. */
export interface Figure<T> {
  readonly title: string;
  readonly digits: number;
  readonly of: (sample: T) => number;
}

/** The median of one figure; `undefined`: this contestant did not take part. */
export function medianOf<T>(rounds: Rounds<T>, name: string, of: (sample: T) => number): number | undefined {
  const samples = rounds.get(name);
  return samples === undefined || samples.length === 0 ? undefined : spreadOf(samples.map(of)).median;
}

/** One contestant's figure over another's, round by round: what disturbed one disturbed the other. */
export function ratiosOf<T>(
  rounds: Rounds<T>,
  name: string,
  other: string,
  of: (sample: T) => number,
): readonly number[] {
  const [own, others] = [rounds.get(name), rounds.get(other)];
  if (own === undefined || others === undefined) return [];
  return own.flatMap((sample, round) => others.slice(round, round + 1).map((beside) => of(sample) / of(beside)));
}

/** Min, median and max of the first figure and of its ratio to `base`, and the medians of the others. */
export function renderRounds<T>(
  rounds: Rounds<T>,
  base: string,
  [first, ...others]: readonly [Figure<T>, ...Figure<T>[]],
  noteOf: (name: string) => string = () => '',
): string {
  const header = [first.title, 'min', 'median', 'max', `to ${base}: min`, 'median', 'max'];
  const rows = [...rounds].map(([name, samples]) => [
    name,
    ...spread(samples.map(first.of), first.digits),
    ...spread(ratiosOf(rounds, name, base, first.of), 2),
    ...others.map(({ of, digits }) => spreadOf(samples.map(of)).median.toFixed(digits)),
    noteOf(name),
  ]);
  return renderTable([...header, ...others.map(({ title }) => title), 'note'], rows);
}

function spread(values: readonly number[], digits: number): string[] {
  if (values.length === 0) return ['', '', ''];
  const { min, median, max } = spreadOf(values);
  return [min, median, max].map((value) => value.toFixed(digits));
}

/** What is to be reached. */
export interface Goal {
  readonly text: string;
  /** `undefined`: what it is compared with did not take part. */
  readonly figure: number | undefined;
  readonly unit: string;
  readonly digits: number;
  readonly isMet: (figure: number) => boolean;
}

/** How a goal's figure is written. */
export interface Writing {
  readonly unit?: string;
  readonly digits?: number;
}

export const atMost = (
  text: string,
  figure: number | undefined,
  most: number,
  { unit = '', digits = 2 }: Writing = {},
): Goal => ({ text, figure, unit, digits, isMet: (value) => value <= most });

export const atLeast = (text: string, figure: number | undefined, least: number): Goal => ({
  text,
  figure,
  unit: '',
  digits: 0,
  isMet: (value) => value >= least,
});

/** One line, met or not. */
export function renderGoal({ text, figure, unit, digits, isMet }: Goal): string {
  if (figure === undefined) return `goal: ${text}: not judged, as one of the two is not here\n`;
  return `goal: ${text}: ${isMet(figure) ? 'met' : 'MISSED'} (${figure.toFixed(digits)}${unit})\n`;
}

/** The median ratio, for a goal. */
export function medianRatio<T>(
  rounds: Rounds<T>,
  name: string,
  other: string,
  of: (sample: T) => number,
): number | undefined {
  const ratios = ratiosOf(rounds, name, other, of);
  return ratios.length === 0 ? undefined : spreadOf(ratios).median;
}
