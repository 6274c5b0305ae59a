import { METRICS, showMetric } from './metrics.ts';
import { describeScenario, type Simulated } from './simulated.ts';

/** For a terminal, and as Markdown: a line about the scenario, and a table with a row for each policy. */
export function renderText({ scenario, outcomes }: Simulated): string {
  const head = ['policy', ...METRICS.map(({ short }) => short)];
  const rows = outcomes.map((outcome) => [outcome.policy, ...METRICS.map((metric) => showMetric(metric, outcome))]);
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => String(row[column]).length)));
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const lines = [head, rule, ...rows].map((row) => renderRow(row, widths));
  return `${scenario.name}: ${describeScenario(scenario)}\n\n${lines.join('')}`;
}

function renderRow(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const width = Number(widths[column]);
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  return `| ${cells.join(' | ')} |\n`;
}
