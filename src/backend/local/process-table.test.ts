import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ancestorsOf, findProcesses } from './process-table.ts';

const parents = (entries: readonly (readonly [number, number])[]): ((pid: number) => Promise<number | undefined>) => {
  const table = new Map(entries);
  return async (pid) => Promise.resolve(table.get(pid));
};

describe('the ancestors of a process', () => {
  it('go up to the first one, which need not be seen', async () => {
    const parentOf = parents([
      [7, 6],
      [6, 5],
      [5, 1],
    ]);
    assert.deepEqual(await ancestorsOf(7, parentOf), [6, 5, 1]);
  });
  it('go up to one that has come in from another pid namespace', async () => {
    const parentOf = parents([
      [7, 6],
      [6, 0],
    ]);
    assert.deepEqual(await ancestorsOf(7, parentOf), [6]);
  });
  it('are unknown when one of them ends meanwhile', async () => {
    assert.equal(await ancestorsOf(7, parents([[7, 6]])), undefined);
  });
  it('are unknown when they go round in a circle, as numbers that are taken again may', async () => {
    const parentOf = parents([
      [7, 6],
      [6, 7],
    ]);
    assert.equal(await ancestorsOf(7, parentOf), undefined);
  });
  it('of this process begin with its parent', async () => {
    const rows = await findProcesses((commandLine) => commandLine.some((part) => part.includes('process-table.test')));
    const own = rows.find(({ pid }) => pid === process.pid);
    assert.equal(own?.ancestors[0], process.ppid);
  });
});
