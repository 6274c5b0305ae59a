/** Whether two lists have the same values in the same order: the very same ones, or such as `isSame` takes for that. */
export function isSameList<T>(
  a: readonly T[],
  b: readonly T[],
  isSame: (a: T, b: T) => boolean = (one, other) => one === other,
): boolean {
  if (a.length !== b.length) return false;
  const others = b.values();
  return a.every((item) => {
    const { done, value } = others.next();
    return done !== true && isSame(item, value);
  });
}
