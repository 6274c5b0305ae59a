import { percentile, renderTable } from '../../support/figures.ts';
import { atMost, renderGoal } from '../edge/edge-report.ts';
import { STEPS, type Step, type TimeLine } from './time-line.ts';

/** Milliseconds that Corral may add before Kubernetes begins, and after it is done. */
const MOST_BEFORE = 150;
const MOST_AFTER = 50;

/** Whose time it is that passes before a step is done. */
const DOER: Readonly<Record<Step, 'corral' | 'kubernetes'>> = {
  held: 'corral',
  reported: 'corral',
  planned: 'corral',
  created: 'corral',
  scheduled: 'kubernetes',
  started: 'kubernetes',
  ready: 'kubernetes',
  'first byte': 'corral',
};

const PERCENTILES = [0.5, 0.9, 1] as const;

/** Milliseconds from the request, and for each step from the one before it. */
export function renderTimeLines(lines: readonly TimeLine[]): string {
  const rows = STEPS.map((step, index) => {
    const before = STEPS[index - 1];
    const since = lines.map((line) => line[step] - line.held);
    const took = before === undefined ? since : lines.map((line) => line[step] - line[before]);
    return [step, DOER[step], ...spread(since), ...spread(took)];
  });
  const columns = ['p50', 'p90', 'max'];
  const header = ['ms', 'whose time', ...columns.map((name) => `at, ${name}`), ...columns.map((name) => `took, ${name}`)]; // prettier-ignore
  return renderTable(header, rows);
}

const spread = (values: readonly number[]): string[] =>
  PERCENTILES.map((share) => percentile(values, share).toFixed(1));

export function renderColdStartGoals(lines: readonly TimeLine[]): string {
  const median = (from: Step, to: Step): number => percentile(lines.map((line) => line[to] - line[from]), 0.5); // prettier-ignore
  return [
    atMost(`from the request to the pod created at most ${MOST_BEFORE} ms, median`, median('held', 'created'), MOST_BEFORE), // prettier-ignore
    atMost(`from pod Ready to the first byte at most ${MOST_AFTER} ms, median`, median('ready', 'first byte'), MOST_AFTER), // prettier-ignore
  ]
    .map(renderGoal)
    .join('');
}

const WIDTH = 1000;
const LEFT = 90;
const ROW = 22;
const TITLE = 30;
const COLORS = { corral: '#f4a261', kubernetes: '#8ecae6' };

/** A picture (SVG) of the medians: a bar for each step, from where the step before it was done. */
export function drawTimeLine(lines: readonly TimeLine[]): string {
  const medians = STEPS.map((step) => percentile(lines.map((line) => line[step] - line.held), 0.5)); // prettier-ignore
  const end = Math.max(1, ...medians);
  const x = (ms: number): number => LEFT + (ms / end) * (WIDTH - LEFT - 90);
  const bars = STEPS.slice(1).map((step, index) => {
    const [from = 0, to = 0] = medians.slice(index, index + 2);
    const [y, width] = [TITLE + index * ROW, Math.max(1, x(to) - x(from))];
    const words = `${(to - from).toFixed(1)} ms`;
    return `<text x="4" y="${y + 15}">${step}</text><rect x="${x(from).toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" fill="${COLORS[DOER[step]]}"/><text x="${(x(from) + width + 4).toFixed(1)}" y="${y + 15}">${words}</text>`;
  });
  const height = TITLE + bars.length * ROW + 6;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="4" y="18" font-size="13">a cold start in a cluster, medians of ${lines.length}: orange is Corral's time, blue Kubernetes' and llama-server's</text>
${bars.join('\n')}
</svg>
`;
}
