/** Where in a JSON number the last byte stood (RFC 8259 section 6). */
export type NumberState =
  'minus' | 'zero' | 'digits' | 'point' | 'fraction' | 'exponent' | 'exponent-sign' | 'exponent-digits';

type ByteClass = 'zero' | 'digit' | 'point' | 'exponent' | 'sign' | 'other';

/** Where each byte leads to. One that leads nowhere ends the number, if that may end there. */
const NEXT: Readonly<Record<NumberState, Readonly<Partial<Record<ByteClass, NumberState>>>>> = {
  minus: { zero: 'zero', digit: 'digits' },
  zero: { point: 'point', exponent: 'exponent' },
  digits: { zero: 'digits', digit: 'digits', point: 'point', exponent: 'exponent' },
  point: { zero: 'fraction', digit: 'fraction' },
  fraction: { zero: 'fraction', digit: 'fraction', exponent: 'exponent' },
  exponent: { zero: 'exponent-digits', digit: 'exponent-digits', sign: 'exponent-sign' },
  'exponent-sign': { zero: 'exponent-digits', digit: 'exponent-digits' },
  'exponent-digits': { zero: 'exponent-digits', digit: 'exponent-digits' },
};

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const EXPONENT = 0x65;
/** Makes an ASCII letter lower case. */
const LOWER = 0x20;

export const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

function classOf(byte: number): ByteClass {
  if (byte === ZERO) return 'zero';
  if (isDigit(byte)) return 'digit';
  if (byte === POINT) return 'point';
  if (byte === MINUS || byte === PLUS) return 'sign';
  return (byte | LOWER) === EXPONENT ? 'exponent' : 'other';
}

/** The state after a number's first byte, `undefined` if none begins so. */
export function firstNumberByte(byte: number): NumberState | undefined {
  if (byte === MINUS) return 'minus';
  if (byte === ZERO) return 'zero';
  return isDigit(byte) ? 'digits' : undefined;
}

/** The state after the next byte of a number; `undefined`: it does not belong to the number. */
export const nextNumberByte = (state: NumberState, byte: number): NumberState | undefined => NEXT[state][classOf(byte)];

/** Whether a number may end here. */
export const isWholeNumber = (state: NumberState): boolean =>
  state === 'zero' || state === 'digits' || state === 'fraction' || state === 'exponent-digits';
