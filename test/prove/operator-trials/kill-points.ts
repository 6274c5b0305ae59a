import fc from 'fast-check';
import type { Fate } from './api-proxy.ts';
import type { WriteKind } from './write-kind.ts';

/** What is done to an operator at one of its writes: see `Fate`. */
export const HOWS = ['before', 'after', 'lost'] as const satisfies readonly Fate[];

export type KillHow = (typeof HOWS)[number];

/** The nth write of a kind in a scenario, and what is done at it. */
export interface WritePoint<How extends string> {
  readonly kind: WriteKind;
  readonly nth: number;
  readonly how: How;
  /** Whether it is a write of an operator that has just been started in the place of one that was killed. */
  readonly isFresh?: boolean;
}

export type KillPoint = WritePoint<KillHow>;

export const describePoint = ({ kind, nth, how, isFresh = false }: WritePoint<string>): string =>
  `${how} ${kind} ${nth}${isFresh ? ' of a new operator' : ''}`;

/** All points of a scenario in which each kind was written so often. */
export const pointsOf = <How extends string>(
  counts: ReadonlyMap<WriteKind, number>,
  hows: readonly How[],
): readonly WritePoint<How>[] =>
  [...counts].flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, at) => at + 1).flatMap((nth) => hows.map((how) => ({ kind, nth, how }))),
  );

/** So many of them in an order that the seed chooses; each again only when all had their turn. */
export function choosePoints<Point>(points: readonly Point[], runs: number, seed: number): readonly Point[] {
  const all = fc.shuffledSubarray([...points], { minLength: points.length });
  return fc
    .sample(all, { numRuns: Math.ceil(runs / points.length), seed })
    .flat()
    .slice(0, runs);
}

export function countBy<T>(values: readonly T[]): ReadonlyMap<T, number> {
  return new Map([...Map.groupBy(values, (value) => value)].map(([value, group]) => [value, group.length]));
}
