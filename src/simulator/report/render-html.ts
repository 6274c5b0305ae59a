import type { Outcome } from '../outcome.ts';
import { CHART_STYLE, CHART_WIDTH, chartHeight, describeChart, renderChart } from './chart.ts';
import { escapeMarkup } from './escape-markup.ts';
import { METRICS, showMetric } from './metrics.ts';
import { describeScenario, type Simulated } from './simulated.ts';

const STYLE = `
  :root { color-scheme: light dark; }${CHART_STYLE}
  body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
  h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
  p { margin: 0 0 1rem; color: var(--soft); max-width: 60rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
  th:first-child { text-align: left; padding-left: 0; }
  tr.own { color: var(--own); font-weight: 600; }
  .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem 2rem;
    margin-top: 1.5rem; }
  .charts svg { width: 100%; height: auto; display: block; }`;

/** One page that needs nothing beside itself, and runs nothing: for each scenario a table and its charts. */
export const renderHtml = (all: readonly Simulated[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(`corral simulate: ${all.map(({ scenario }) => scenario.name).join(', ')}`)}</title>
<style>${STYLE}
</style>
</head>
<body>
<main>
<h1>corral simulate</h1>
<p>The same requests under each policy. Less is better; GPU-hours are the price. The policy clairvoyant knows what will be asked:
nobody can have it, and it shows how far from the best the others are.</p>
${all.map(renderScenario).join('\n')}
</main>
</body>
</html>
`;

const renderScenario = ({ scenario, outcomes }: Simulated): string => `<section>
<h2>${escapeMarkup(scenario.name)}</h2>
<p>${escapeMarkup(describeScenario(scenario))}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${escapeMarkup(`Figures of ${scenario.name}`)}">
<table>
<thead><tr><th scope="col">policy</th>${METRICS.map(({ short }) => `<th scope="col">${escapeMarkup(short)}</th>`).join('')}</tr></thead>
<tbody>
${outcomes.map(renderRow).join('\n')}
</tbody>
</table>
</div>
<div class="charts">
${METRICS.map((metric) => renderFigure(describeChart(metric, outcomes), renderChart(metric, outcomes), outcomes.length)).join('\n')}
</div>
</section>`;

const renderRow = (outcome: Outcome): string =>
  `<tr${outcome.policy === 'corral' ? ' class="own"' : ''}><th scope="row">${escapeMarkup(outcome.policy)}</th>${METRICS.map(
    (metric) => `<td>${escapeMarkup(showMetric(metric, outcome))}</td>`,
  ).join('')}</tr>`;

const renderFigure = (description: string, chart: string, rows: number): string =>
  `<svg viewBox="0 0 ${CHART_WIDTH} ${chartHeight(rows)}" role="img" aria-label="${escapeMarkup(description)}">\n${chart}\n</svg>`;
