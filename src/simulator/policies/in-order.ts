/** For sorting by several things: the first difference that is one. */
export function inOrder(...differences: readonly number[]): number {
  const first = differences.find((difference) => difference !== 0);
  return first === undefined ? 0 : first;
}

/** Byte for byte, whatever the language of the machine. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
