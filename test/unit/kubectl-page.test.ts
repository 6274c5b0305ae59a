import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare, shownOn, withPrinted } from '../cluster/support/kubectl-page.ts';

const TABLE = `NAME                                           LOADED   AGE     POOL
corral.dev/coder-3f2a9c51b7-0                  1/2      5m      gpus
edgereport.corral.dev/corral-edge-1a2b-x2k4j   7        59s     gpus
`;
const STORY = `  Creation Timestamp:  2026-01-01T12:00:00Z
  UID:                 0b5ae0c4-6f1d-4c1e-9d57-2f8a3c7e91b6
  Resource Version:    4711
      Idle Timeout:  15m
    Load Seconds:      4
  Normal  Loaded  5m  corral.dev/operator  coder: it is ready after 4.2 s
`;
/** The same, printed on another day. */
const LATER = (TABLE + STORY)
  .replaceAll('3f2a9c51b7', '00c4affd39')
  .replaceAll('5m      ', '2d21h   ')
  .replaceAll('59s', '12s')
  .replaceAll('1a2b-x2k4j   7 ', '77f9c8-qcqk8   12')
  .replaceAll('2026-01-01T12:00:00Z', '2027-11-22T22:08:20Z')
  .replaceAll('0b5ae0c4', '91972cb9')
  .replaceAll('4711', '9')
  .replaceAll('Seconds:      4', 'Seconds:      12')
  .replaceAll('Loaded  5m', 'Loaded  3m13s')
  .replaceAll('4.2 s', '13.0 s');

const page = (printed: string): string =>
  `# Title\n\n\`\`\`sh\nkubectl get\n\`\`\`\n\n\`\`\`text\n${printed}\`\`\`\n\nWords.\n`;

describe('the page of what kubectl prints', () => {
  it('is the same whenever and wherever it is printed', () => {
    const [shown] = shownOn(page(TABLE + STORY));
    assert.ok(shown !== undefined);
    assert.notEqual(LATER, TABLE + STORY);
    assert.equal(compare(shown, LATER), undefined);
    const captured = withPrinted(page(''), [LATER]);
    assert.deepEqual(
      shownOn(captured).map((one) => compare(one, TABLE + STORY)),
      [undefined],
    );
    assert.equal(withPrinted(captured, [shownOn(captured)[0]?.printed ?? '']), captured, 'it is settled');
    assert.equal(captured.replace(/text\n[\s\S]*```/u, 'text\n```'), page(''), 'the prose is kept');
  });

  for (const [before, after] of [
    ['LOADED', 'UP'],
    ['1/2', '0/2'],
    ['Idle Timeout:  15m', 'Idle Timeout:  16m'],
    ['it is ready after', 'it was ready after'],
    ['coder:', 'writer:'],
    ['POOL\n', 'POOL   MORE\n'],
  ] as const) {
    it(`shows that ${JSON.stringify(before)} has become ${JSON.stringify(after)}, and the lines around it`, () => {
      const [shown] = shownOn(page(TABLE + STORY));
      assert.ok(shown !== undefined);
      const difference = String(compare(shown, LATER.replace(before, after)));
      const [, ...lines] = difference.split('\n');
      assert.equal(lines.filter((line) => line.startsWith('- ')).length, 1, difference);
      assert.equal(lines.filter((line) => line.startsWith('+ ')).length, 1, difference);
      assert.ok(lines.length <= 6, difference);
    });
  }
});
