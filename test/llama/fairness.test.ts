import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertWhole, chat, startStream, type Answer } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { deployment, pool } from '../support/manifests.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const TOKENS = 60;

/** Streams one answer after the other, each begun when a good part of the one before is still to come, until told to end. */
async function keepBusy(corral: ServingCorral, model: string, isEnough: () => boolean): Promise<Answer[]> {
  const answers: Promise<Answer>[] = [];
  while (!isEnough()) {
    const { half, whole } = await startStream(corral, model, TOKENS);
    answers.push(whole);
    await half;
  }
  return Promise.all(answers);
}

describe('a model that is busy without a pause', suite, () => {
  it('gives its place to one that has waited for fairAfter, cutting nobody, and gets it back', async (t) => {
    const folder = await tempFolder(t);
    const [a = '', b = ''] = await tinyModels(folder, ['a', 'b'], 'slow');
    const file = join(folder, 'models.yaml');
    await writeFile(file, pool({ maxLoaded: 1, fairAfter: '300ms' }) + deployment('both', { a, b }));
    const corral = await startCorral(t, ['-f', file]);
    let isServed = false;
    const clients = [1, 2, 3].map(async () => keepBusy(corral, 'a', () => isServed));
    await corral.log.waitFor({ msg: 'request', model: 'a', status: 200 });
    await assertWhole(chat(corral, 'b'), 'b', 2);
    isServed = true;
    const answers = (await Promise.all(clients)).flat();
    assert.ok(answers.length > 3);
    for (const answer of answers) assert.deepEqual(answer, { model: 'a', tokens: TOKENS, finish: 'length' });
    const { log } = corral;
    // Fairness, and not eviction: A had no pause.
    const order = [
      await log.indexOf({ msg: 'replica draining', replica: 'a#1', cause: 'fairness' }),
      await log.indexOf({ msg: 'replica gone', replica: 'a#1', how: 'stopped' }),
      await log.indexOf({ msg: 'replica started', replica: 'b#2' }),
      await log.indexOf({ msg: 'request', model: 'b', status: 200 }),
    ];
    assert.deepEqual(
      order,
      order.toSorted((x, y) => x - y),
    );
    assert.ok(corral.starts().every(({ besides }) => besides.length === 0));
    await assertWhole(chat(corral, 'a'), 'a', 2);
  });
});
