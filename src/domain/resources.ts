/**
 * Amounts by the name of a resource (`vram`, `nvidia.com/gpu`, …), in thousandths of its unit, so that sums are exact.
 * Never negative. A missing name is none of it.
 */
export type Resources = ReadonlyMap<string, number>;

/** None of anything. */
export const NO_RESOURCES: Resources = new Map();

/** How much there is of one resource. */
export function amountOf(resources: Resources, name: string): number {
  const amount = resources.get(name);
  return amount === undefined ? 0 : amount;
}

/** Whether there is at least `need` of everything that `need` names. */
export function covers(resources: Resources, need: Resources): boolean {
  for (const [name, amount] of need) if (amountOf(resources, name) < amount) return false;
  return true;
}

/** Both together. */
export function plus(a: Resources, b: Resources): Resources {
  const sum = new Map(a);
  for (const [name, amount] of b) sum.set(name, amountOf(sum, name) + amount);
  return sum;
}
