import { cpus, loadavg } from 'node:os';

/** What is reported of some measured values, in their unit. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/**
 * The smallest of the values that at least `share` of them do not exceed (nearest rank, so it was really measured).
 * `share` is above 0 and at most 1. Throws a RangeError for no values: a figure of nothing is not 0.
 */
export function percentile(values: readonly number[], share: number): number {
  const rank = Math.ceil(share * values.length);
  const value = values.toSorted((a, b) => a - b).at(rank - 1);
  if (value === undefined || rank < 1) throw new RangeError(`no percentile ${share} of ${values.length} values`);
  return value;
}

/** Throws a RangeError for no values. */
export const spreadOf = (values: readonly number[]): Spread => ({
  min: percentile(values, Number.MIN_VALUE),
  median: percentile(values, 0.5),
  max: percentile(values, 1),
});

/** A table in Markdown: first column to the left, the others to the right. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const widths = header.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const padded = (cells: readonly string[]): string[] =>
    widths.map((width, column) => {
      const cell = cells.slice(column, column + 1).join('');
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [padded(header), rule, ...rows.map(padded)].map(line).join('');
}

/** The machine that figures are taken on, and how busy others keep it: without them the figures mean nothing. */
export function describeMachine(): string {
  const cores = cpus();
  const [model = 'unknown'] = cores.map((core) => core.model.trim());
  const [load = Number.NaN] = loadavg();
  return `${cores.length} cores (${model}), load average ${load.toFixed(1)} at the start`;
}
