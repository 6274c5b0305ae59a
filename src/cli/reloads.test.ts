import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CatalogResult } from '../api/catalog.ts';
import { FakeCorral } from '../testing/fake-corral.ts';
import { aPool, aPreset, scaled } from '../testing/worlds.ts';
import { Reloads } from './reloads.ts';

const CATALOG = { pools: [aPool({ maxLoaded: 1 })], presets: [scaled(aPreset('a'), { minReplicas: 1 })] };
const READ: CatalogResult = { ok: true, catalog: CATALOG, withoutEffect: [], warnings: [] };

/** Reloads of files whose every read ends when the test says so. */
function startReloads() {
  const corral = new FakeCorral();
  const reads: PromiseWithResolvers<CatalogResult>[] = [];
  const lines: string[] = [];
  const say = (message: string, fields: object = {}): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const read = async (): Promise<CatalogResult> => {
    const one = Promise.withResolvers<CatalogResult>();
    reads.push(one);
    return one.promise;
  };
  const log = { error: say, warn: say, info: say, debug: say };
  return { corral, reads, lines, reloads: new Reloads({ control: corral.control, read, log }) };
}

describe('a reload', () => {
  it('is done when what was read is in force, and says what has no effect or is hardly meant so, as a start does', async () => {
    const { corral, reads, lines, reloads } = startReloads();
    const done = reloads.reload();
    await corral.settle();
    const warnings = [{ file: 'f', line: 2, field: 'pool', reason: 'none', fix: 'Declare it.' }];
    reads[0]?.resolve({ ...READ, withoutEffect: [{ file: 'f', field: 'x', reason: 'why' }], warnings });
    assert.deepEqual(await done, { ok: true });
    assert.deepEqual(corral.backend.history, ['start a']);
    assert.deepEqual(lines, [
      'f:2: pool: none. Declare it. {}',
      'f: x has no effect {"reason":"why"}',
      'reloaded {"models":1}',
    ]);
  });
  it('waits for the one before it, also one that fails', async () => {
    const { corral, reads, reloads } = startReloads();
    const first = reloads.reload();
    const second = reloads.reload();
    await corral.settle();
    assert.equal(reads.length, 1);
    reads[0]?.reject(new Error('a fault'));
    await assert.rejects(first, /a fault/u);
    await corral.settle();
    reads[1]?.resolve({ ok: false, problems: [{ file: 'f', reason: 'wrong' }], withoutEffect: [], warnings: [] });
    assert.deepEqual(await second, { ok: false, problems: ['f: wrong.'] });
  });
});

describe('reloads that are ended', () => {
  it('answer at once whoever waits and whoever comes, and read nothing more', async () => {
    const { corral, reads, reloads } = startReloads();
    const waiting = [reloads.reload(), reloads.reload()];
    await corral.settle();
    reloads.end();
    assert.deepEqual(await Promise.all([...waiting, reloads.reload()]), ['ended', 'ended', 'ended']);
    reads[0]?.resolve(READ);
    await corral.settle();
    await corral.settle();
    assert.equal(reads.length, 1);
  });
  it('start nothing with what is read late', async () => {
    const { corral, reads, lines, reloads } = startReloads();
    const done = reloads.reload();
    await corral.settle();
    reloads.end();
    await corral.control.stopAll();
    reads[0]?.resolve(READ);
    assert.equal(await done, 'ended');
    await corral.settle();
    await corral.settle();
    assert.deepEqual([corral.backend.history, lines, corral.control.catalog.presets], [[], [], []]);
  });
});
