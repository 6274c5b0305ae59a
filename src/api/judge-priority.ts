import type { PoolName } from '../domain/ids.ts';

/** What a pool says about priorities. */
export interface PriorityLimit {
  readonly name: PoolName;
  readonly maxPriority: number;
}

/** What is wrong with a priority, as a clause without a full stop at its end; `undefined`: nothing. */
export function findPriorityFault(priority: number, { name, maxPriority }: PriorityLimit): string | undefined {
  if (priority <= maxPriority) return undefined;
  const limit = `the maxPriority ${maxPriority} of the ModelPool ${JSON.stringify(name)}`;
  return `priority ${priority} is above ${limit}`;
}
