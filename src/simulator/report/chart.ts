import type { Outcome } from '../outcome.ts';
import { escapeMarkup } from './escape-markup.ts';
import { showMetric, type Metric } from './metrics.ts';

/** In units of the drawing. */
export const CHART_WIDTH = 420;
const LABELS_WIDTH = 104;
const VALUES_WIDTH = 76;
const BARS_WIDTH = CHART_WIDTH - LABELS_WIDTH - VALUES_WIDTH;
const HEAD_HEIGHT = 52;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
/** What is more than nothing can be seen. */
const LEAST_BAR = 1.5;

export const chartHeight = (rows: number): number => HEAD_HEIGHT + rows * ROW_HEIGHT + 6;

/** For `<style>`, in the report as in a drawing that stands alone. It follows what the reader prefers, light or dark. */
export const CHART_STYLE = `
  :root { --paper: #fbfbfa; --ink: #1d2126; --soft: #59616b; --line: #d4d8dd; --bar: #9aa7b5; --own: #1668a8; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #15181c; --ink: #e8eaed; --soft: #a3abb5; --line: #3a4149; --bar: #66727f; --own: #62b0ec; }
  }
  svg { font-family: system-ui, sans-serif; }
  .title { font-size: 15px; font-weight: 600; fill: var(--ink); }
  .meaning { font-size: 12px; fill: var(--soft); }
  .label, .value { font-size: 13px; fill: var(--ink); }
  .value { font-variant-numeric: tabular-nums; }
  .bar { fill: var(--bar); }
  .own .bar { fill: var(--own); }
  .own text { font-weight: 600; }
  .axis { stroke: var(--line); }`;

/** What a bar chart shows, as one sentence for those who do not see it. */
export const describeChart = (metric: Metric, outcomes: readonly Outcome[]): string =>
  `${metric.title} (${metric.meaning}): ${outcomes.map((one) => `${one.policy} ${showMetric(metric, one)}`).join(', ')}.`;

/** A bar for each policy, from zero, with its number. A part of a drawing, without the element around it. */
export function renderChart(metric: Metric, outcomes: readonly Outcome[]): string {
  const most = Math.max(0, ...outcomes.map(metric.valueOf).filter((value) => value !== undefined));
  const rows = outcomes.map((outcome, index) =>
    renderBar(metric, outcome, { most, top: HEAD_HEIGHT + index * ROW_HEIGHT }),
  );
  const bottom = HEAD_HEIGHT + outcomes.length * ROW_HEIGHT;
  return [
    `<text class="title" x="0" y="18">${escapeMarkup(metric.title)}</text>`,
    `<text class="meaning" x="0" y="38">${escapeMarkup(metric.meaning)}</text>`,
    ...rows,
    `<line class="axis" x1="${LABELS_WIDTH}" y1="${HEAD_HEIGHT - 4}" x2="${LABELS_WIDTH}" y2="${bottom}"/>`,
  ].join('\n');
}

function renderBar(metric: Metric, outcome: Outcome, { most, top }: { most: number; top: number }): string {
  const value = metric.valueOf(outcome);
  const width = value === undefined || value === 0 ? 0 : Math.max(LEAST_BAR, (value / most) * BARS_WIDTH);
  const base = top + BAR_HEIGHT - 3;
  return [
    outcome.policy === 'corral' ? '<g class="own">' : '<g>',
    `<text class="label" x="${LABELS_WIDTH - 8}" y="${base}" text-anchor="end">${escapeMarkup(outcome.policy)}</text>`,
    `<rect class="bar" x="${LABELS_WIDTH}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="value" x="${(LABELS_WIDTH + width + 6).toFixed(1)}" y="${base}">${escapeMarkup(showMetric(metric, outcome))}</text>`,
    '</g>',
  ].join('');
}
