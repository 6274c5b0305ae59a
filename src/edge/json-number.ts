/** Where in a JSON number the last byte stood (RFC 8259 section 6). */
type NumberPart = 'minus' | 'zero' | 'digits' | 'point' | 'fraction' | 'exponent' | 'exponent-sign' | 'exponent-digits';

type ByteClass = 'zero' | 'digit' | 'point' | 'exponent' | 'minus' | 'plus' | 'other';

/** Where each byte leads to. One that leads nowhere ends the number, if that may end there. */
const NEXT: Readonly<Record<NumberPart, Readonly<Partial<Record<ByteClass, NumberPart>>>>> = {
  minus: { zero: 'zero', digit: 'digits' },
  zero: { point: 'point', exponent: 'exponent' },
  digits: { zero: 'digits', digit: 'digits', point: 'point', exponent: 'exponent' },
  point: { zero: 'fraction', digit: 'fraction' },
  fraction: { zero: 'fraction', digit: 'fraction', exponent: 'exponent' },
  exponent: { zero: 'exponent-digits', digit: 'exponent-digits', minus: 'exponent-sign', plus: 'exponent-sign' },
  'exponent-sign': { zero: 'exponent-digits', digit: 'exponent-digits' },
  'exponent-digits': { zero: 'exponent-digits', digit: 'exponent-digits' },
};
const FIRST: Readonly<Partial<Record<ByteClass, NumberPart>>> = { minus: 'minus', zero: 'zero', digit: 'digits' };
const WHOLE: readonly NumberPart[] = ['zero', 'digits', 'fraction', 'exponent-digits'];

/** The parts by number, so that a table can lead from one to the next; 0 is before a number's first byte. */
const PARTS: readonly (NumberPart | undefined)[] = [
  undefined,
  'minus',
  'zero',
  'digits',
  'point',
  'fraction',
  'exponent',
  'exponent-sign',
  'exponent-digits',
];

function classOf(byte: number): ByteClass {
  const character = String.fromCharCode(byte);
  if (character === '0') return 'zero';
  if (character >= '1' && character <= '9') return 'digit';
  if (character === '.') return 'point';
  if (character === '-') return 'minus';
  if (character === '+') return 'plus';
  return character === 'e' || character === 'E' ? 'exponent' : 'other';
}

/**
 * The way through a number, a byte at a time: `NUMBER_NEXT[part * 256 + byte]` is the part after that byte; 0: the byte does not
 * belong to the number. It begins with part 0.
 */
export const NUMBER_NEXT: Uint8Array = Uint8Array.from(
  PARTS.flatMap((part) =>
    Array.from({ length: 256 }, (_, byte) => {
      const next = (part === undefined ? FIRST : NEXT[part])[classOf(byte)];
      return next === undefined ? 0 : PARTS.indexOf(next);
    }),
  ),
);

/** Whether a number may end after this part. */
export const isWholeNumber = (part: number): boolean => WHOLE.some((whole) => PARTS[part] === whole);

const EXPONENT_DIGITS = PARTS.indexOf('exponent-digits');
/** Without an exponent so many characters are below 1e308, which a double still is. */
const SURELY_FINITE = 308;

/** Whether the number from `from` to `to`, that ends with this part, is finite as a double. Most need no look. */
export const isFiniteNumber = (part: number, bytes: Buffer, from: number, to: number): boolean =>
  (part !== EXPONENT_DIGITS && to - from <= SURELY_FINITE) ||
  Number.isFinite(Number(bytes.toString('latin1', from, to)));
