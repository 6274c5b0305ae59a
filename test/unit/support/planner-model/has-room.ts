import type { BinName } from '../../../../src/domain/ids.ts';
import type { Bin, Pool } from '../../../../src/domain/pool.ts';
import { amountOf, type Resources } from '../../../../src/domain/resources.ts';

/** What lies somewhere, and how large it is. */
export interface Placed {
  readonly bin: BinName | undefined;
  readonly footprint: Resources;
}

/** Whether one more of this size finds room beside what is there. */
export const hasRoom = ({ maxLoaded, bins }: Pool, there: readonly Placed[], need: Resources): boolean =>
  (maxLoaded === 0 || there.length < maxLoaded) && bins.some((bin) => fits(bin, there, need));

/** Whether more is there than there may be. */
export const isOverfull = ({ maxLoaded, bins }: Pool, there: readonly Placed[]): boolean =>
  (maxLoaded > 0 && there.length > maxLoaded) ||
  there.some(({ bin: name, footprint }, index) => {
    const bin = bins.find((one) => one.name === name);
    return bin === undefined || !fits(bin, there.toSpliced(index, 1), footprint);
  });

/** Needing none of a resource is always met, also where a smaller size has left too much of it in use. */
const fits = ({ name: bin, size }: Bin, there: readonly Placed[], need: Resources): boolean =>
  size === undefined ||
  [...need].every(([name, amount]) => {
    const here = there.filter((one) => one.bin === undefined || one.bin === bin);
    return (
      amount === 0 ||
      here.reduce((sum, { footprint }) => sum + amountOf(footprint, name), amount) <= amountOf(size, name)
    );
  });
