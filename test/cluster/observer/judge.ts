import type { History, Rule, Violation } from './history.ts';
import { capacityIsKept } from './rules/capacity.ts';
import { foreignFieldsAreKept } from './rules/foreign-fields.ts';
import { statusesAreHonest } from './rules/honest-statuses.ts';
import { ownersAreLive } from './rules/live-owners.ts';
import { onlyMeantObjects } from './rules/meant-objects.ts';
import { nothingIsCut } from './rules/nothing-is-cut.ts';
import { startsAreSingle } from './rules/one-creation.ts';
import { requestsEndOnce } from './rules/one-outcome.ts';
import { onlyTheLeaderWrites } from './rules/only-the-leader.ts';

/** What was not seen was not judged. */
const nothingIsMissed: Rule = ({ gaps }) =>
  gaps.map((gap) => ({ rule: 'S0 the observer sees all', what: gap, version: undefined }));

const RULES: readonly Rule[] = [
  nothingIsMissed,
  capacityIsKept,
  nothingIsCut,
  ownersAreLive,
  startsAreSingle,
  onlyTheLeaderWrites,
  onlyMeantObjects,
  statusesAreHonest,
  foreignFieldsAreKept,
  requestsEndOnce,
];

/** Every violation of what Corral promises, in a whole history. */
export const judge = (history: History): readonly Violation[] => RULES.flatMap((rule) => rule(history));

/** One fault may break a rule again and again: more than so many are not printed. */
const MOST_LINES = 40;

export function renderViolations(violations: readonly Violation[]): string {
  const more = violations.length - MOST_LINES;
  const lines = violations.slice(0, MOST_LINES).map((violation) => `  ${renderViolation(violation)}`);
  return ['the observer has seen what must not be:', ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

export const renderViolation = ({ rule, what, version }: Violation): string =>
  `${rule}: ${what}${version === undefined ? '' : ` (resourceVersion ${version})`}`;
