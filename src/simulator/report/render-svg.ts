import { CHART_STYLE, CHART_WIDTH, chartHeight, describeChart, renderChart } from './chart.ts';
import { escapeMarkup } from './escape-markup.ts';
import { METRICS, type Metric } from './metrics.ts';
import { describeScenario, type Simulated } from './simulated.ts';

const MARGIN = 24;
const GAP = 32;
const HEADING_HEIGHT = 64;
const COLUMNS = 3;

/** One drawing with a chart for each figure, which needs nothing beside itself. */
export function renderSvg({ scenario, outcomes }: Simulated): string {
  const chart = chartHeight(outcomes.length);
  const width = 2 * MARGIN + COLUMNS * CHART_WIDTH + (COLUMNS - 1) * GAP;
  const height = HEADING_HEIGHT + Math.ceil(METRICS.length / COLUMNS) * (chart + GAP / 2) + MARGIN;
  const place = (index: number): string => {
    const x = MARGIN + (index % COLUMNS) * (CHART_WIDTH + GAP);
    return `translate(${x} ${HEADING_HEIGHT + Math.floor(index / COLUMNS) * (chart + GAP / 2)})`;
  };
  const summary = METRICS.map((metric: Metric) => describeChart(metric, outcomes)).join(' ');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title summary">
<title id="title">${escapeMarkup(`corral simulate: ${scenario.name}`)}</title>
<desc id="summary">${escapeMarkup(summary)}</desc>
<style>${CHART_STYLE}
</style>
<rect width="${width}" height="${height}" style="fill: var(--paper)"/>
<text class="title" x="${MARGIN}" y="32">${escapeMarkup(scenario.name)}</text>
<text class="meaning" x="${MARGIN}" y="51">${escapeMarkup(describeScenario(scenario))}</text>
${METRICS.map((metric, index) => `<g transform="${place(index)}">\n${renderChart(metric, outcomes)}\n</g>`).join('\n')}
</svg>
`;
}
