import type { Resources } from '../domain/resources.ts';

/** Amounts by the name of a resource, as a manifest has them. */
export type Quantities = Readonly<Record<string, string | number>>;
/** To which side of the truth an amount errs that no number of thousandths can say. */
export type Rounding = 'up' | 'down';

/** The power of ten of each decimal suffix (Kubernetes, apimachinery, pkg/api/resource/suffix.go). */
const DECIMAL: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
/** The power of two of each binary suffix. */
const BINARY: ReadonlyMap<string, bigint> = new Map([
  ['Ki', 10n],
  ['Mi', 20n],
  ['Gi', 30n],
  ['Ti', 40n],
  ['Pi', 50n],
  ['Ei', 60n],
]);
const FORM = /^([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,2})|([A-Za-z]{0,2}))$/u;
/** The bits of a whole number that a double holds. */
const EXACT_BITS = 53;

function divide(numerator: bigint, denominator: bigint, round: Rounding): bigint {
  return (numerator + (round === 'up' ? denominator - 1n : 0n)) / denominator;
}

/** Past 9007199254740991 thousandths (8Ti of bytes) not every number exists. */
function toNumber(whole: bigint, round: Rounding): number {
  const surplus = Math.max(0, whole.toString(2).length - EXACT_BITS);
  const step = 2n ** BigInt(surplus);
  return Number(divide(whole, step, round) * step);
}

/** What the digits are multiplied with. */
interface Scale {
  readonly two: bigint;
  readonly ten: number;
}

function scaleOf(exponent: string | undefined, suffix: string): Scale | undefined {
  if (exponent !== undefined) return { two: 0n, ten: Number(exponent) };
  const [two, ten] = [BINARY.get(suffix), DECIMAL.get(suffix)];
  if (two !== undefined) return { two, ten: 0 };
  return ten === undefined ? undefined : { two: 0n, ten };
}

/**
 * Reads a quantity in Kubernetes' notation as thousandths of its unit; `undefined`: it is none, or below zero. What lies between
 * two thousandths is rounded up, so that a footprint is never taken for less than it is; a capacity has to be rounded down.
 */
export function parseQuantity(quantity: string | number, round: Rounding = 'up'): number | undefined {
  const [, whole, fraction = '', exponent, suffix = ''] = FORM.exec(String(quantity)) ?? [];
  const scale = scaleOf(exponent, suffix);
  if (whole === undefined || scale === undefined) return undefined;
  const digits = BigInt(whole + fraction) * 2n ** scale.two;
  // Thousandths: three powers more.
  const ten = scale.ten + 3 - fraction.length;
  return toNumber(ten < 0 ? divide(digits, 10n ** BigInt(-ten), round) : digits * 10n ** BigInt(ten), round);
}

/** By resource, the weakest first; `undefined`: nobody says anything. */
export const mergeQuantities = (layers: readonly Quantities[]): Quantities | undefined =>
  layers.length === 0 ? undefined : Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)));

/** Reads quantities that were checked before; throws for anything else. */
export const readQuantities = (quantities: Quantities, round: Rounding): Resources =>
  new Map(
    Object.entries(quantities).map(([name, quantity]): [string, number] => {
      const amount = parseQuantity(quantity, round);
      if (amount === undefined) throw new Error(`unchecked quantity ${quantity}`);
      return [name, amount];
    }),
  );
