import type { ModelName } from '../../domain/ids.ts';
import { isSameList } from '../../domain/is-same-list.ts';

/** What one living ModelDeployment says about names. */
export interface NameClaim {
  readonly uid: string;
  /** Namespace and name. */
  readonly object: string;
  /** RFC 3339 in UTC, as the API server writes it. */
  readonly createdAt: string;
  /** What its spec declares. */
  readonly declares: readonly ModelName[];
  /** What its status grants it. */
  readonly holds: readonly ModelName[];
  /** Its status was rendered for the spec as it is: nothing that was granted to an older one can still be written. */
  readonly isSettled: boolean;
}

/**
 * The uid of the ModelDeployment that each name belongs to. That may be one that has just given the name up: then nobody has
 * it, until its status says so too.
 */
export type NameHolders = ReadonlyMap<ModelName, string>;

/** Whose every name is, and by what claims that was settled. */
export interface Grants {
  readonly claims: readonly NameClaim[];
  readonly holders: NameHolders;
}

export const NOTHING_GRANTED: Grants = { claims: [], holders: new Map() };

/** The oldest first; two of the same second by namespace and name. */
export function byAge(a: Pick<NameClaim, 'createdAt' | 'object'>, b: Pick<NameClaim, 'createdAt' | 'object'>): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  if (a.object === b.object) return 0;
  return a.object < b.object ? -1 : 1;
}

function groupByName(
  claims: readonly NameClaim[],
  namesOf: (claim: NameClaim) => readonly ModelName[],
): Map<ModelName, readonly NameClaim[]> {
  const groups = new Map<ModelName, NameClaim[]>();
  for (const claim of claims) {
    for (const name of namesOf(claim)) {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [claim]);
      else if (group.at(-1) !== claim) group.push(claim);
    }
  }
  return groups;
}

/** Of one name: who declares it and in whose statuses it stands, both the oldest first, and whose it was. */
interface Contest {
  readonly declaring: readonly NameClaim[];
  readonly holding: readonly NameClaim[];
  /** `undefined`: nobody's, or that ModelDeployment is gone. */
  readonly before: NameClaim | undefined;
}

/**
 * Whose a name is. First match of:
 *
 * | who                                                                    | whose it is  |
 * |------------------------------------------------------------------------|--------------|
 * | had it, and declares it                                                | still theirs |
 * | had it and gave it up, and a status that grants it may be on its way   | still theirs |
 * | has it in their status, also if they gave it up                        | still theirs |
 * | is the oldest that declares it                                         | theirs       |
 *
 * A name that was given up is nobody's until its status says so: thus no two statuses grant it at the same time.
 */
function settleContest({ declaring, holding, before }: Contest): NameClaim | undefined {
  if (before !== undefined && (declaring.includes(before) || !before.isSettled)) return before;
  return holding.length > 0 ? holding[0] : declaring[0];
}

const members = (groups: ReadonlyMap<ModelName, readonly NameClaim[]>, name: ModelName): readonly NameClaim[] => {
  const group = groups.get(name);
  return group === undefined ? [] : group;
};

/**
 * Says whose every name is. A name stays with its incumbent as long as that declares it. `before` is what this function
 * returned last: statuses that were written meanwhile may not have been read yet.
 */
export function grantNames(claims: readonly NameClaim[], before: NameHolders): NameHolders {
  const sorted = claims.toSorted(byAge);
  const byUid = new Map(sorted.map((claim) => [claim.uid, claim]));
  const declaring = groupByName(sorted, ({ declares }) => declares);
  const holding = groupByName(sorted, ({ holds }) => holds);
  return new Map(
    [...new Set([...declaring.keys(), ...before.keys()])].flatMap((name): [ModelName, string][] => {
      const holder = settleContest({
        declaring: members(declaring, name),
        holding: members(holding, name),
        before: byUid.get(String(before.get(name))),
      });
      return holder === undefined ? [] : [[name, holder.uid]];
    }),
  );
}

/**
 * The same for claims in the order of the last ones. Claims that say what the last ones said change nothing, and mostly they do: what
 * is written into a status has to do with names only when one comes or goes.
 */
export const grantAgain = (claims: readonly NameClaim[], before: Grants): Grants =>
  isSameList(claims, before.claims, isSameClaim) ? before : { claims, holders: grantNames(claims, before.holders) };

/** Whether a claim says what another said. */
export const isSameClaim = (a: NameClaim, b: NameClaim): boolean =>
  a === b ||
  (a.uid === b.uid &&
    a.object === b.object &&
    a.createdAt === b.createdAt &&
    a.isSettled === b.isSettled &&
    isSameList(a.declares, b.declares) &&
    isSameList(a.holds, b.holds));
