import fc from 'fast-check';
import { withCleanup } from '../support/cleanup-stack.ts';
import type { Proof, Series } from './proof.ts';
import { MODELS, setStage } from './stage.ts';
import { tryEach } from './try-each.ts';

const wording = fc.record({
  prompt: fc.string({ maxLength: 40 }),
  tokens: fc.constantFrom(1, 4, 16),
  stream: fc.boolean(),
});

/** A, B, A, ...: each request is for the model that is not loaded. */
export const proveEvict: Proof = async ({ runs, seed }) =>
  withCleanup(async (t): Promise<Series[]> => {
    const stage = await setStage(t);
    const trials = fc.sample(wording, { numRuns: runs, seed }).map((asked, index) => ({
      asked,
      model: MODELS[index % 2 === 0 ? 0 : 1],
    }));
    const { timings, failures } = await tryEach(trials, async ({ model, asked }) => {
      const loads = stage.corral.starts().length;
      const { took } = await stage.ask(model, asked);
      await stage.assertOneAtATime();
      if (stage.corral.starts().length !== loads + 1) throw new Error(`${model} was not loaded anew`);
      return took;
    });
    return [{ what: 'a swap under --models-max 1', runs, failures, timed: 'request to last byte', timings }];
  });
