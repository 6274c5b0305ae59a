import type { Outcome } from '../outcome.ts';
import type { Scenario } from '../scenario.ts';

/** A scenario with what became of it under each policy. */
export interface Simulated {
  readonly scenario: Scenario;
  readonly outcomes: readonly Outcome[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** How large a scenario is, in one line. */
export function describeScenario({ trace, models, pool }: Scenario): string {
  const last = trace.at.at(-1);
  const span = last === undefined ? 0 : last;
  const { bins, maxLoaded } = pool;
  const limit = maxLoaded === 0 ? '' : `, ${grouped.format(maxLoaded)} loaded at most`;
  const sizes = [
    count(trace.at.length, 'request'),
    span < HOUR_MS ? count(span / MINUTE_MS, 'minute') : count(span / HOUR_MS, 'hour'),
    count(models.length, 'model'),
  ];
  return `${sizes[0]} in ${sizes[1]}, ${sizes[2]}, ${count(bins.length, 'bin')}${limit}`;
}

const count = (number: number, what: string): string => `${grouped.format(number)} ${what}${number === 1 ? '' : 's'}`;
