/** What a resourceVersion looks like: a number that may not fit into a JavaScript one. */
export const RESOURCE_VERSION_PATTERN = '^[1-9][0-9]*$';

/**
 * Below 0 if `a` is older than `b`, 0 if they are the same. Both are decimal numbers without leading zeros, which is what
 * Kubernetes promises since KEP-5504; they are compared as such without being turned into floating point.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
