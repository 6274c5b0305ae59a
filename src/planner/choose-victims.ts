/**
 * Takes candidates in their order until `isEnough`, then spares, the last first, those that turn out not to be needed.
 * So no proper subset is enough, and no other set that is has an earlier last member. `undefined`: all together are not
 * enough. `isEnough` must hold of a set if it holds of a part of it.
 */
export function chooseVictims<T>(
  candidates: readonly T[],
  isEnough: (victims: readonly T[]) => boolean,
): readonly T[] | undefined {
  if (!isEnough(candidates)) return undefined;
  const taken: T[] = [];
  for (const candidate of candidates) {
    taken.push(candidate);
    if (isEnough(taken)) return spare(taken, isEnough);
  }
  return undefined;
}

/** The last one is needed: without it, what was taken before was not enough. */
function spare<T>(taken: readonly T[], isEnough: (victims: readonly T[]) => boolean): readonly T[] {
  let needed = taken;
  for (const candidate of taken.slice(0, -1).toReversed()) {
    const without = needed.filter((one) => one !== candidate);
    if (isEnough(without)) needed = without;
  }
  return needed;
}
