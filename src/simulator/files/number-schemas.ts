import Type from 'typebox';

/** A number in a range. */
export const number = (description: string, minimum: number, maximum: number): Type.TNumber =>
  Type.Number({ minimum, maximum, title: `a number from ${minimum} to ${maximum}`, description });

/** How many in a second: more than none, so that there is an end to what takes time. */
export const rate = (description: string): Type.TNumber => number(description, 0.001, 1_000_000);
