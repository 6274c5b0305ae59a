import type { Amounts } from './history.ts';

const QUANTITY = /^(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?)(?<suffix>[numkMGTPE]?|[KMGTPE]i)$/u;
const DECIMAL = 'kMGTPE';
const SMALL = 'mun';
const BINARY = 'KMGTPE';

/** Kubernetes' quantities as far as pools and pods have them. Throws for another: nothing may be counted wrong. */
export function parseAmount(quantity: string | number): number {
  const { number, suffix } = QUANTITY.exec(String(quantity))?.groups ?? {};
  if (number === undefined || suffix === undefined) throw new Error(`no quantity: ${quantity}`);
  return Number(number) * factorOf(suffix);
}

function factorOf(suffix: string): number {
  if (suffix === '') return 1;
  if (SMALL.includes(suffix)) return 1000 ** -(SMALL.indexOf(suffix) + 1);
  if (suffix.endsWith('i')) return 1024 ** (BINARY.indexOf(suffix.charAt(0)) + 1);
  return 1000 ** (DECIMAL.indexOf(suffix) + 1);
}

export const amountsOf = (quantities: Readonly<Record<string, string | number>>): Amounts =>
  new Map(Object.entries(quantities).map(([name, quantity]) => [name, parseAmount(quantity)]));
