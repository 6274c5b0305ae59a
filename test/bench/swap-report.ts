import { renderTable, spreadOf } from '../support/figures.ts';
import { COLD, SWAP, type Round } from './contestant.ts';

/** All rounds of one contestant. */
export interface Rounds {
  readonly name: string;
  readonly rounds: readonly Round[];
}

/** How much more than the bare llama-server Corral may take, in milliseconds. */
const GOALS = [
  { label: COLD, most: 10 },
  { label: SWAP, most: 15 },
];

const valuesOf = ({ rounds }: Rounds, label: string): number[] =>
  rounds.map((round) => round.get(label)).filter((value) => value !== undefined);

const labelsOf = ({ rounds }: Rounds): string[] => [...new Set(rounds.flatMap((round) => [...round.keys()]))];

const medianOf = (rounds: Rounds, label: string): number | undefined => {
  const values = valuesOf(rounds, label);
  return values.length === 0 ? undefined : spreadOf(values).median;
};

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(1)}`;

/** The table of all contestants beside the first one, in ms, and whether Corral meets its goals. */
export function renderSwapReport(all: readonly Rounds[]): string {
  const [bare] = all;
  if (bare === undefined) throw new RangeError('a report of no contestants');
  const rows = all.flatMap((rounds) => labelsOf(rounds).map((label) => renderRow(rounds, label, bare)));
  const header = ['ms', 'min', 'median', 'max', 'over bare', 'ratio'];
  const goals = all.filter(({ name }) => name === 'corral').flatMap((corral) => renderGoals(corral, bare));
  return `${renderTable(header, rows)}\n${goals.join('\n')}\n`;
}

function renderRow(rounds: Rounds, label: string, bare: Rounds): string[] {
  const { min, median, max } = spreadOf(valuesOf(rounds, label));
  const floor = rounds === bare ? undefined : medianOf(bare, label);
  const beside = floor === undefined ? ['', ''] : [signed(median - floor), (median / floor).toFixed(2)];
  return [`${rounds.name}, ${label}`, ...[min, median, max].map((ms) => ms.toFixed(1)), ...beside];
}

function renderGoals(corral: Rounds, bare: Rounds): string[] {
  return GOALS.flatMap(({ label, most }) => {
    const [own, floor] = [medianOf(corral, label), medianOf(bare, label)];
    if (own === undefined || floor === undefined) return [];
    const verdict = own - floor <= most ? 'met' : 'MISSED';
    return [`goal: corral ${label} at most ${most} ms over bare: ${verdict} (${signed(own - floor)} ms)`];
  });
}
