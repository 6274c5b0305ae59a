import { percentile, renderTable } from '../support/figures.ts';
import type { Extent, Series } from './proof.ts';

/** Where and how a proof was run. */
export interface Circumstances extends Extent {
  readonly name: string;
  readonly summary: string;
  /** ISO 8601, the day only. */
  readonly date: string;
  readonly machine: string;
}

/** Failures of one series that are written out; the others are counted. */
const MOST_TOLD = 10;

export function renderSeries(series: readonly Series[]): string {
  const rows = series.map(({ what, runs, failures, timed, timings }) => [
    what,
    ...[runs, failures.length].map(String),
    timed,
    ...(timings.length === 0 ? ['', ''] : [0.5, 0.99].map((share) => percentile(timings, share).toFixed(1))),
  ]);
  return renderTable(['tried', 'runs', 'failures', 'timed', 'p50 ms', 'p99 ms'], rows);
}

/** At most ten of each, one line for each. */
export const renderFailures = (series: readonly Series[]): string =>
  series
    .flatMap(({ what, failures }) => failures.slice(0, MOST_TOLD).map((text) => renderFailure(what, text)))
    .join('');

const renderFailure = (what: string, text: string): string => `- ${what}: ${text.replaceAll(/\s+/gu, ' ').trim()}\n`;

/** The page that is kept of a proof. */
export function renderProofPage(given: Circumstances, series: readonly Series[]): string {
  const { name, summary, runs, seed, date, machine } = given;
  const failures = renderFailures(series);
  return `# Proof: ${name}

${summary}.

\`\`\`sh
npm run prove -- ${name} --runs ${runs} --seed ${seed}
\`\`\`

${date}, ${machine}.

${renderSeries(series)}${failures === '' ? '' : `\n${failures}`}`;
}
