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

/** A page of which each section was made by a command of its own. */
export interface SectionCircumstances extends Circumstances {
  /** What was tried of the proof. */
  readonly parts: readonly string[];
}

/** The page with the section of these parts, in the place of the one it had of the same parts, or as its last; `undefined`: there was no page. */
export function putSection(page: string | undefined, given: SectionCircumstances, series: readonly Series[]): string {
  const { name, summary, runs, seed, date, machine, parts } = given;
  const title = parts.join(', ');
  const failures = renderFailures(series);
  const section = `${title}

\`\`\`sh
npm run prove -- ${name} --runs ${runs} --seed ${seed} --part ${parts.join()}
\`\`\`

${date}, ${machine}.

${renderSeries(series)}${failures === '' ? '' : `\n${failures}`}`;
  const [, ...before] = page === undefined ? [] : page.split(/^## /mu).map((text) => `${text.trimEnd()}\n`);
  const at = before.findIndex((one) => one.startsWith(`${title}\n`));
  const sections = at === -1 ? [...before, section] : before.with(at, section);
  return [`# Proof: ${name}\n\n${summary}.\n`, ...sections].join('\n## ');
}
