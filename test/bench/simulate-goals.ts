import type { Outcome, PolicyName } from '../../src/simulator/outcome.ts';

/** Those that Corral is to be no worse than. */
const RIVALS: readonly PolicyName[] = ['llama-router', 'llama-swap'];
/** How many times the cold starts of one who knows the future are allowed where a trace has the shape of a public one. */
const FROM_THE_BEST = 1.5;

/** One goal, and how far from it. */
export interface Goal {
  readonly isMet: boolean;
  /** The whole line but for the verdict. */
  readonly words: string;
}

/** The goals that the outcomes of one scenario allow to judge, for one of Corral's policies. Throws a RangeError without its outcome, or a rival's. */
export function judgeGoals(
  outcomes: readonly Outcome[],
  isPublicShaped: boolean,
  policy: PolicyName = 'corral',
): Goal[] {
  const own = outcomeOf(outcomes, policy);
  const goals = RIVALS.flatMap((name) => besideRival(own, outcomeOf(outcomes, name)));
  return isPublicShaped ? [...goals, besideBest(own, outcomeOf(outcomes, 'clairvoyant'))] : goals;
}

function outcomeOf(outcomes: readonly Outcome[], name: PolicyName): Outcome {
  const found = outcomes.find(({ policy }) => policy === name);
  if (found === undefined) throw new RangeError(`there is no outcome of ${name}`);
  return found;
}

/** A wait that is not known, since nobody was served, is longer than any. */
const p99Of = ({ wait }: Outcome): number => (wait === undefined ? Infinity : wait.p99);

function besideRival(own: Outcome, rival: Outcome): Goal[] {
  const [wait, theirs] = [p99Of(own), p99Of(rival)];
  return [
    {
      isMet: own.coldStarts <= rival.coldStarts,
      words: `no more cold starts than ${rival.policy} (${own.coldStarts}, ${rival.coldStarts})`,
    },
    {
      isMet: wait <= theirs,
      words: `no longer p99 wait than ${rival.policy} (${(wait / 1000).toFixed(1)} s, ${(theirs / 1000).toFixed(1)} s)`,
    },
  ];
}

function besideBest(own: Outcome, best: Outcome): Goal {
  return {
    isMet: own.coldStarts <= best.coldStarts * FROM_THE_BEST,
    words: `cold starts at most ${FROM_THE_BEST} times clairvoyant's (${own.coldStarts}, ${best.coldStarts}: ${(own.coldStarts / best.coldStarts).toFixed(2)})`,
  };
}

/** A line for each goal. */
export const renderGoals = (goals: readonly Goal[]): string =>
  goals.map(({ isMet, words }) => `goal: ${words}: ${isMet ? 'met' : 'MISSED'}\n`).join('');
