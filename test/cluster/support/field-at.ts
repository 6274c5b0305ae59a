import type { ApiObject } from './api-client.ts';

/** What lies at a path inside of an answer; `undefined`: something on the way is missing. */
export function fieldAt(from: unknown, ...path: readonly string[]): unknown {
  let value = from;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === name)?.[1];
  }
  return value;
}

/** The same, of what can only be a text. */
export function textAt(from: unknown, ...path: readonly string[]): string | undefined {
  const value = fieldAt(from, ...path);
  return typeof value === 'string' ? value : undefined;
}

/** Whether a condition of an object is True. */
export function isTrue(object: ApiObject | undefined, type: string): boolean {
  const conditions = fieldAt(object, 'status', 'conditions');
  return (
    Array.isArray(conditions) && conditions.some((one: unknown) => textAt(one, 'type') === type && textAt(one, 'status') === 'True') // prettier-ignore
  );
}

/** Where a pod can be reached. Throws if it has no address. */
export function addressOf(pod: ApiObject): string {
  const address = textAt(pod, 'status', 'podIP');
  if (address === undefined) throw new Error(`${pod.metadata.name} has no address`);
  return address;
}
