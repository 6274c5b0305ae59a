import assert from 'node:assert/strict';
import fc from 'fast-check';
import { withCleanup } from '../support/cleanup-stack.ts';
import type { Proof, Series } from './proof.ts';
import { MODELS, setStage, type Model, type Stage } from './stage.ts';
import { tryEach } from './try-each.ts';
import type { Wording } from './wording.ts';

/** A stream of one model, and somebody who wants the other one. */
interface Trial {
  readonly streaming: Model;
  readonly wanted: Model;
  readonly stream: Wording;
  readonly question: Wording;
}

const trials = fc.record({
  stream: fc.record({
    prompt: fc.string({ maxLength: 40 }),
    tokens: fc.integer({ min: 64, max: 512 }),
    stream: fc.constant(true),
  }),
  question: fc.record({
    prompt: fc.string({ maxLength: 40 }),
    tokens: fc.constantFrom(1, 4),
    stream: fc.boolean(),
  }),
});

/** Resolves with what the wanted model's answer took, from its request at the stream's first byte. */
async function wantDuring(stage: Stage, { streaming, wanted, stream, question }: Trial): Promise<number> {
  const begun = Promise.withResolvers<undefined>();
  const order: string[] = [];
  const streamed = stage.ask(streaming, stream, () => {
    begun.resolve(undefined);
  });
  const whole = streamed.then(() => order.push('the stream'));
  // Whoever waits for it gets its error; a trial that has failed before must not end by another one.
  whole.catch(() => undefined);
  await Promise.race([begun.promise, streamed]);
  const { took } = await stage.ask(wanted, question);
  order.push('the answer');
  await whole;
  assert.deepEqual(order, ['the stream', 'the answer'], 'the stream ends before the other model answers');
  await stage.assertOneAtATime();
  return took;
}

export const proveSwapStreams: Proof = async ({ runs, seed }) =>
  withCleanup(async (t): Promise<Series[]> => {
    const stage = await setStage(t);
    const [a, b] = MODELS;
    const drawn = fc.sample(trials, { numRuns: runs, seed }).map((trial, index) => {
      const [streaming, wanted] = index % 2 === 0 ? [a, b] : [b, a];
      return { ...trial, streaming, wanted };
    });
    const { timings, failures } = await tryEach(drawn, async (trial) => wantDuring(stage, trial));
    const what = 'a stream while the other model is wanted';
    return [{ what, runs, failures, timed: "the other model's request to last byte", timings }];
  });
