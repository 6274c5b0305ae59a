import { searchModel, type Found } from '../protocol/search-model.ts';
import { FULL, PLANTED, type NamedSearch, type PlantedFault } from '../protocol/searches.ts';
import type { ProofPart, Series } from './proof.ts';

/** One search is one run: its table row says how large it was. */
async function prove({ title, ...search }: NamedSearch): Promise<Series> {
  const found = await searchModel(search);
  return seriesOf(`${title}: ${sizeOf(found)}`, found, complaintOf(found));
}

function complaintOf({ broken, steps, isWhole }: Found): string | undefined {
  if (broken !== undefined) return `${broken}: ${steps.join('; ')}`;
  return isWhole ? undefined : 'the search was cut off';
}

const sizeOf = ({ states, depth }: Found): string => `${states.toLocaleString('en')} states, ${depth} steps deep`;

const seriesOf = (what: string, { milliseconds }: Found, failure: string | undefined): Series => ({
  what,
  runs: 1,
  failures: failure === undefined ? [] : [failure],
  timed: 'the search',
  timings: [milliseconds],
});

/** Found is what is wrong on purpose. Prints the way to it. */
async function proveFound({ name, breaks, ...search }: PlantedFault): Promise<Series> {
  const found = await searchModel(search);
  process.stdout.write(
    `\n${name} breaks ${String(found.broken)}:\n${found.steps.map((step) => `  ${step}\n`).join('')}`,
  );
  const what = `planted ${name} is found: ${breaks}, ${found.depth} steps deep`;
  return seriesOf(what, found, found.broken === breaks ? undefined : `it breaks ${String(found.broken)}`);
}

/** One after the other: each takes a core and much memory. */
async function inTurn<T>(things: readonly T[], work: (thing: T) => Promise<Series>): Promise<readonly Series[]> {
  const series: Series[] = [];
  for (const thing of things) series.push(await work(thing));
  return series;
}

/** The model of the drain protocol, searched for longer than a test may take; and what is planted in it. */
export const DRAIN_MODEL_PARTS: readonly ProofPart[] = [
  ...Object.entries(FULL).map(([name, searches]) => ({
    name,
    prove: async ({ runs }: { readonly runs: number }) => inTurn(searches(runs), prove),
  })),
  { name: 'planted', prove: async () => inTurn(PLANTED, proveFound) },
];
