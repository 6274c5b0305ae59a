/** Binary units, the largest first, and how many bytes each is. */
const BINARY: readonly (readonly [string, number])[] = [
  ['Ei', 2 ** 60],
  ['Pi', 2 ** 50],
  ['Ti', 2 ** 40],
  ['Gi', 2 ** 30],
  ['Mi', 2 ** 20],
  ['Ki', 2 ** 10],
];
/** From here on an amount is one of memory, and people read it in binary units. */
const MEMORY = 2 ** 20;

/** Thousandths (see `Resources`) as a quantity of Kubernetes, exactly: `9Gi`, `4`, `500m`. */
export function formatAmount(thousandths: number): string {
  if (thousandths % 1000 !== 0) return `${BigInt(thousandths)}m`;
  const units = thousandths / 1000;
  const fitting = BINARY.find(([, size]) => units >= size && units % size === 0);
  return fitting === undefined ? String(units) : `${units / fitting[1]}${fitting[0]}`;
}

/** The same for people, to one digit where it is memory: `12.4Gi`, `4`, `0.5`. */
export function describeAmount(thousandths: number): string {
  const units = thousandths / 1000;
  const fitting = units < MEMORY ? undefined : BINARY.find(([, size]) => units >= size);
  if (fitting === undefined) return String(units);
  const [suffix, size] = fitting;
  return `${Math.round((units / size) * 10) / 10}${suffix}`;
}
