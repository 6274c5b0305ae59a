import { seconds } from '../../../../src/domain/units.ts';

/** The longest that anything takes in the worlds of this test. */
export const LONGEST = { load: seconds(8), request: seconds(15), stop: seconds(3) } as const;
