import assert from 'node:assert/strict';
import { hostileBody, judgeBody, randomFrom, type Random } from '../../src/testing/hostile-bodies.ts';
import { CORPUS } from '../hostile/corpus.ts';
import { randomSending, startForwarding, type Sending } from '../hostile/forwarded-bodies.ts';
import { FRONTS, startFront, type Front } from '../hostile/front-servers.ts';
import {
  assertNothingSmuggled,
  judgeBehind,
  judgeMutant,
  judgePayload,
  startHostileBed,
  type HostileBed,
} from '../hostile/hostile-bed.ts';
import { mutant } from '../hostile/mutate.ts';
import { sideBySide } from '../hostile/side-by-side.ts';
import { withCleanup } from '../support/cleanup-stack.ts';
import type { Proof, ProofPart, Series } from './proof.ts';

const AT_ONCE = 64;
/** How long the edge waits for what does not come: the corpus expects to be answered in full, chance expects nothing. */
const PATIENCE = { corpus: 2000, mutants: 100 };
/** Behind a proxy, one mutant for so many of those without one; and bodies for each mutant. */
const SHARE_BEHIND = 10;
const BODIES_FOR_EACH = 10;
const TIMED = 'from the first byte to the end of the connection';

function* mutants(count: number, random: Random): Generator<string> {
  for (let left = count; left > 0; left -= 1) yield mutant(random);
}

/** Sends everything of a kind, and looks afterwards whether the model has got what was accepted, and nothing else. */
async function trySending(
  what: string,
  hostile: HostileBed,
  items: Iterable<string>,
  judge: (text: string) => Promise<void>,
): Promise<Series> {
  const timings: number[] = [];
  const timed = async (text: string): Promise<void> => {
    const begun = performance.now();
    await judge(text);
    timings.push(performance.now() - begun);
  };
  const failures = await sideBySide(items, AT_ONCE, timed, (text) => JSON.stringify(text.slice(0, 300)));
  const runs = timings.length + failures.length;
  try {
    assertNothingSmuggled(hostile);
  } catch (error) {
    failures.push(String(error));
  }
  return { what, runs, failures, timed: TIMED, timings };
}

const corpusAlone = async (): Promise<Series> =>
  withCleanup(async (t) => {
    const hostile = await startHostileBed(t, PATIENCE.corpus);
    const byText = new Map(CORPUS.map((payload) => [payload.text, payload]));
    assert.equal(byText.size, CORPUS.length, 'no payload is there twice');
    return trySending('each payload of the corpus', hostile, byText.keys(), async (text) => {
      const payload = byText.get(text);
      assert.ok(payload !== undefined);
      await judgePayload(hostile, payload);
    });
  });

const mutantsAlone = async (runs: number, random: Random): Promise<Series> =>
  withCleanup(async (t) => {
    const hostile = await startHostileBed(t, PATIENCE.mutants);
    const judge = async (text: string): Promise<void> => judgeMutant(hostile, text);
    return trySending('what chance makes of them', hostile, mutants(runs, random), judge);
  });

const behind = async (front: Front, kind: string, patience: number, items: Iterable<string>): Promise<Series> =>
  withCleanup(async (t) => {
    const hostile = await startHostileBed(t, patience);
    const port = await startFront(t, front, hostile.bed.port);
    if (port === undefined) {
      return {
        what: `${kind} behind ${front.name}, which is not installed`,
        runs: 0,
        failures: [],
        timed: '',
        timings: [],
      };
    }
    const judge = async (text: string): Promise<void> => judgeBehind(hostile, port, text);
    return trySending(`${kind} behind ${front.name}`, hostile, items, judge);
  });

/** The edge's reader beside one that builds the whole value. */
function bodies(runs: number, random: Random): Series {
  const failures: string[] = [];
  for (let left = runs; left > 0; left -= 1) {
    const body = hostileBody(random);
    try {
      judgeBody(body);
    } catch (error) {
      failures.push(String(error));
    }
  }
  return {
    what: 'a body, read by the edge as by a reader that builds all of it',
    runs,
    failures,
    timed: '',
    timings: [],
  };
}

function* sendings(count: number, random: Random): Generator<Sending> {
  for (let left = count; left > 0; left -= 1) yield randomSending(random);
}

/** What comes of a body at the model, by its hash. */
const forwarded = async (runs: number, random: Random): Promise<Series> =>
  withCleanup(async (t) => {
    const judge = await startForwarding(t);
    const timings: number[] = [];
    const timed = async (sending: Sending): Promise<void> => {
      const begun = performance.now();
      await judge(sending);
      timings.push(performance.now() - begun);
    };
    const tell = ({ body }: Sending): string => JSON.stringify(body.toString('latin1').slice(0, 300));
    const failures = await sideBySide(sendings(runs, random), AT_ONCE, timed, tell);
    const what = "a body arrives as it was sent, and a variant's with what that adds, by SHA-256";
    return { what, runs, failures, timed: 'from its first byte to the end of the answer', timings };
  });

const requests: Proof = async ({ runs, seed }) => {
  const random = randomFrom(seed);
  const series = [await corpusAlone()];
  for (const front of FRONTS) {
    const texts = CORPUS.map(({ text }) => text);
    series.push(await behind(front, 'each payload of the corpus', PATIENCE.corpus, texts));
  }
  series.push(await mutantsAlone(runs, random));
  for (const front of FRONTS) {
    const some = mutants(Math.ceil(runs / SHARE_BEHIND), random);
    series.push(await behind(front, 'what chance makes of them', PATIENCE.mutants, some));
  }
  return series;
};

export const HOSTILE_PARTS: readonly ProofPart[] = [
  { name: 'requests', prove: requests },
  {
    name: 'readings',
    prove: async ({ runs, seed }) => Promise.resolve([bodies(runs * BODIES_FOR_EACH, randomFrom(seed))]),
  },
  { name: 'forwarding', prove: async ({ runs, seed }) => [await forwarded(runs, randomFrom(seed))] },
];
