import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blocksOf, readText, root } from '../docs/support/markdown.ts';
import { shownOn, withPrinted } from './support/kubectl-page.ts';
import { setPageScene } from './support/kubectl-page-scene.ts';
import { withCorral } from './support/with-corral.ts';

const FILE = 'docs/kubectl.md';
const isCapture = process.env['CORRAL_CAPTURE'] === '1';

describe(FILE, { timeout: 240_000 }, () => {
  it('shows what is printed', async (t) => {
    const page = readText(FILE);
    const shown = shownOn(page);
    const commands = blocksOf(page).filter(({ language }) => language === 'sh');
    assert.ok(shown.length >= 20 && shown.length === commands.length, 'each sh block is followed by a text block');
    const scene = await setPageScene(t, await withCorral());
    if (isCapture) {
      const outputs: string[] = [];
      for (const { command } of shown) outputs.push(await scene.capture(command));
      writeFileSync(join(root, FILE), withPrinted(page, outputs));
      return;
    }
    for (const one of shown) {
      const difference = await scene.check(one);
      if (difference !== undefined) assert.fail(`${FILE} is out of date (npm run capture):\n${difference}`);
    }
  });
});
