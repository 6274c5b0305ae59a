import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COLD, SWAP } from '../bench/contestant.ts';
import { renderSwapReport, type Rounds } from '../bench/swap-report.ts';

const rounds = (name: string, ...pairs: readonly (readonly [cold: number, swap: number])[]): Rounds => ({
  name,
  rounds: pairs.map(
    ([cold, swap]) =>
      new Map([
        [COLD, cold],
        [SWAP, swap],
      ]),
  ),
});

const bare = rounds('llama-server', [20, 30], [10, 40], [30, 20]);

describe('the report of the swap bench', () => {
  it("gives each contestant's spread, and how its median stands to the bare one's", () => {
    const lines = renderSwapReport([bare, rounds('other', [40, 15], [50, 15], [60, 15])]).split('\n');
    assert.match(String(lines[2]), /^\| llama-server, cold \| 10\.0 \| +20\.0 \| 30\.0 \| +\| +\|$/u);
    assert.match(String(lines[4]), /^\| other, cold +\| 40\.0 \| +50\.0 \| 60\.0 \| +\+30\.0 \| +2\.50 \|$/u);
    assert.match(String(lines[5]), /^\| other, swap +\| 15\.0 \| +15\.0 \| 15\.0 \| +-15\.0 \| +0\.50 \|$/u);
  });
  it('says of each goal whether the medians meet it', () => {
    const met = renderSwapReport([bare, rounds('corral', [30, 45])]);
    assert.match(
      met,
      /cold at most 10 ms over bare: met \(\+10\.0 ms\)\n.*swap at most 15 ms over bare: met \(\+15\.0/u,
    );
    const missed = renderSwapReport([bare, rounds('corral', [30.2, 45.2])]);
    assert.match(missed, /cold .*: MISSED \(\+10\.2 ms\)\n.*swap .*: MISSED \(\+15\.2 ms\)/u);
  });
  it('is refused without contestants', () => {
    assert.throws(() => renderSwapReport([]), RangeError);
  });
});
