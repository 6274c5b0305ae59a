import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Watch } from './watch.ts';

describe('a watch', () => {
  it('is over at once where it is so already, and else when it is looked at again', async () => {
    const watch = new Watch();
    await watch.until(() => true);
    let count = 0;
    const found = watch.find(() => (count === 2 ? 'two' : undefined));
    for (count = 1; count < 3; count += 1) watch.look();
    assert.equal(await found, 'two');
  });
  it('tells who has waited in vain for what, and how things are', async () => {
    const watch = new Watch(() => 'nobody has come', 1);
    const guests: string[] = [];
    const waiting = watch.until(() => guests.includes('Ann'));
    // The timer of a watch keeps no process alive.
    const alive = setTimeout(() => undefined, 60_000);
    await assert.rejects(waiting, /waited in vain for: \(\) => guests\.includes\('Ann'\)\nnobody has come/u);
    clearTimeout(alive);
  });
  it('fails where looking fails, and disturbs nobody else', async () => {
    const watch = new Watch();
    let isBroken = false;
    const failing = watch.until(() => {
      if (isBroken) throw new Error('no such thing');
      return false;
    });
    const other = watch.find(() => (isBroken ? 'seen' : undefined));
    isBroken = true;
    watch.look();
    await assert.rejects(failing, /no such thing/u);
    assert.equal(await other, 'seen');
  });
});
