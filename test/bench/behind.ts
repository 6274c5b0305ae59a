import type { Target } from '../../src/testing/http-kit.ts';
import { COLD, SWAP, WARM, type Contestant } from './contestant.ts';
import { firstByte } from './first-byte.ts';

/** Something in front of llama-server that runs, and how to have its models unloaded. */
export interface Front extends Target {
  /** Resolves when the model's process is gone. */
  unload(model: string): Promise<void>;
}

/** A contestant whose models are loaded by the requests that name them. */
export const behind = (name: string, front: Front): Contestant => ({
  name,
  round: async () => {
    const cold = await firstByte(front, 'a');
    const warm = await firstByte(front, 'a');
    const swap = await firstByte(front, 'b');
    await front.unload('b');
    return new Map([
      [COLD, cold],
      [SWAP, swap],
      [WARM, warm],
    ]);
  },
});
