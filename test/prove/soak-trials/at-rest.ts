import type { Series } from '../proof.ts';
import type { Figures } from './figures.ts';

/** What one process held each time that nothing was asked of it, oldest first. */
export interface Rests {
  readonly name: string;
  /** Before this look it has not yet done everything once: caches fill, and V8 has not yet let go of what it needed to start. */
  readonly warm: number;
  readonly looks: readonly Figures[];
}

const MIB = 1024 * 1024;
/** So many values of a series are told at the most. */
const COURSE = 11;
export const FEWEST_LOOKS_WARM = 2;
/** By so much a figure may be larger at the end than when it was warm. */
const MOST_GROWTH: readonly (readonly [keyof Figures, number])[] = [
  ['objectBytes', MIB],
  ['codeBytes', 2 * MIB],
  ['rssBytes', 32 * MIB],
  ['files', 2],
  ['timers', 2],
  ['sockets', 2],
  ['listeners', 0],
];

/** One sentence for each figure that has grown. Throws if there are too few looks to tell. */
export function judgeRests(rests: Rests): readonly string[] {
  const { warm, last } = endsOf(rests);
  const { name } = rests;
  return MOST_GROWTH.filter(([figure, growth]) => last[figure] > warm[figure] + growth).map(
    ([figure]) => `${name}: ${figure} has grown from ${warm[figure]} to ${last[figure]}`,
  );
}

function endsOf({ looks, warm: from }: Rests): { readonly warm: Figures; readonly last: Figures } {
  const [warm, ...after] = looks.slice(from);
  const last = after.at(-1);
  if (warm === undefined || last === undefined)
    throw new Error(`${looks.length} looks are too few: it takes ${from + FEWEST_LOOKS_WARM}`);
  return { warm, last };
}

/** A row of the table: what it held when it was warm and at the end, and how its objects went in between. `minutes`: between two looks. */
export function tellRests(rests: Rests, minutes: number): Series {
  const runs = rests.looks.length;
  if (runs < rests.warm + FEWEST_LOOKS_WARM)
    return { what: `${rests.name} at rest: it did not live long enough to tell`, runs, failures: [], timed: '', timings: [] }; // prettier-ignore
  const { warm, last } = endsOf(rests);
  const from = (figure: keyof Figures): string => `${warm[figure]} to ${last[figure]}`;
  const memory = (figure: 'codeBytes' | 'rssBytes'): string => `${mib(warm[figure])} to ${mib(last[figure])} MiB`;
  const objects = rests.looks.slice(rests.warm).map(({ objectBytes }) => objectBytes / MIB);
  const slope = (slopeOf(objects) * 60) / minutes;
  const course = courseOf(objects).map((one) => one.toFixed(1));
  return {
    what: `${rests.name} at rest: objects ${course.join(', ')} MiB (${slope.toFixed(1)} per hour), compiled code ${memory('codeBytes')}, RSS ${memory('rssBytes')}, files ${from('files')}, sockets ${from('sockets')}, timers ${from('timers')}`,
    ...{ runs, failures: judgeRests(rests), timed: '', timings: [] },
  };
}

/** The first, the last and nine in between: whether they level off is not to be seen from the ends. */
function courseOf(values: readonly number[]): readonly number[] {
  const tenths = Array.from({ length: COURSE }, (_, tenth) => Math.floor((tenth * (values.length - 1)) / (COURSE - 1)));
  return values.filter((_, place) => tenths.includes(place));
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** Of the straight line with the least squares, for each step. */
export function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = sum(values) / values.length;
  const squares = sum(values.map((_, index) => (index - middle) ** 2));
  return sum(values.map((value, index) => (index - middle) * (value - mean))) / squares;
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
