import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testSeed } from '../../../src/testing/seed.ts';
import { tryContention } from '../../prove/operator-trials/contention.ts';
import { FIELD_TRIALS, tryField } from '../../prove/operator-trials/fields.ts';
import { tryHandOvers } from '../../prove/operator-trials/hand-overs.ts';
import { KillTrials } from '../../prove/operator-trials/kill-trials.ts';
import { tryScenario } from '../../prove/operator-trials/kills.ts';
import { loseNode } from '../../prove/operator-trials/lost-node.ts';
import { loadModels } from '../../prove/operator-trials/loaded-models.ts';
import { tryOutage } from '../../prove/operator-trials/outage.ts';
import { RestartedOperator } from '../../prove/operator-trials/restarted-operators.ts';
import { SCENARIOS } from '../../prove/operator-trials/scenarios.ts';
import { setStage, type Stage } from '../../prove/operator-trials/stage.ts';
import type { Series } from '../../prove/proof.ts';
import { withCleanup } from '../../support/cleanup-stack.ts';
import type { Cleanup } from '../../support/temp-folder.ts';
import { walkLeaves } from '../support/leaves/walk-leaves.ts';
import { freeLease } from '../support/operator-lease.ts';
import type { PresetStatus } from '../support/preset-status.ts';

// The small form of `npm run prove -- operator`. The control plane is its own: operators of two tests would be rivals.

/** At each of two scenarios, chosen by the seed. */
const KILLS = 3;
const TURNS = 2;
const seed = testSeed();
const chosen = [seed, seed + 5].flatMap((at) => SCENARIOS.slice(at % SCENARIOS.length, (at % SCENARIOS.length) + 1));

function assertNoFailures(series: readonly Series[]): void {
  for (const { what, failures } of series) assert.deepEqual(failures, [], what);
  assert.ok(
    series.some(({ runs }) => runs > 0),
    'nothing was tried',
  );
}

async function kill(t: Cleanup, stage: Stage): Promise<void> {
  const trials = await KillTrials.start(t, stage);
  const series: Series[] = [];
  for (const scenario of chosen) series.push(await tryScenario(trials, scenario, { runs: KILLS, seed }));
  assertNoFailures(series);
  await trials.finish();
}

/** A model is asked for whose file is in an image. The stage's API server leaves such a volume out without a word. */
async function askForImage(t: Cleanup, stage: Stage): Promise<void> {
  await freeLease(stage.own.cluster.api);
  const { operator } = await RestartedOperator.start(t, stage, 'operator-a');
  await operator.log.waitFor({ msg: 'operating' });
  const { trial } = await loadModels(t, stage, { id: 'image-volumes', busy: [], unloaded: ['a'] });
  await trial.edit([{ name: 'a', source: { image: { reference: 'example.com/models:1', path: 'a.gguf' } } }]);
  trial.request('a');
  const because = 'mounts no images, and has left example.com/models:1 out; fix: its feature gate ImageVolume';
  const isSo = ({ reason, message }: PresetStatus): boolean => reason === 'CreateRefused' && message.includes(because);
  await trial.until('a', 'a refusal', isSo);
  assert.deepEqual(trial.pods('a'), []);
}

/** Each field through the API server, as in test/unit/schema-effects.test.ts; then a few of them with an operator that carries them out. */
async function setFields(t: Cleanup, stage: Stage): Promise<void> {
  const { api } = stage.own.cluster;
  assert.deepEqual(await walkLeaves(api, 'default'), []);
  await freeLease(api);
  const { operator } = await RestartedOperator.start(t, stage, 'operator-a');
  await operator.log.waitFor({ msg: 'operating' });
  const untilReplaced = await loseNode(t, stage);
  await Promise.all(FIELD_TRIALS.map(async (trial, index) => tryField(stage, trial, index)));
  await untilReplaced();
}

describe('the operator under fire', { timeout: 290_000 }, () => {
  it(`comes to the same end when it is killed at any write (${chosen.map(({ name }) => name).join()}), hands over, gets through between others who write, outlives its API server, makes no pod that has not got its image, and carries out each field until it is taken back`, async () => {
    await withCleanup(async (t) => {
      const stage = await setStage(t);
      await withCleanup(async (own) => kill(own, stage));
      await withCleanup(async (own) => {
        assertNoFailures(await tryHandOvers(own, stage, 1));
      });
      await withCleanup(async (own) => {
        assertNoFailures([await tryContention(own, stage, TURNS)]);
      });
      await withCleanup(async (own) => {
        assertNoFailures([await tryOutage(own, stage, 2, 5_500)]);
      });
      await withCleanup(async (own) => askForImage(own, stage));
      await withCleanup(async (own) => setFields(own, stage));
    });
  });
});
