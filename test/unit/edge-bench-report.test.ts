import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chooseSections, EDGE_SECTIONS } from '../bench/edge.ts';
import { interleave, type Rounds } from '../bench/edge/bench.ts';
import { readProfile, selfTimes } from '../bench/edge/cpu-profile.ts';
import { atLeast, atMost, medianRatio, ratiosOf, renderGoal, renderRounds } from '../bench/edge/edge-report.ts';
import { renderFlameGraph } from '../bench/edge/flame-graph.ts';
import { buildPrograms } from '../bench/edge/programs.ts';
import { chatBody, largeBodies } from '../bench/edge/request-bodies.ts';
import { makeUnbundle } from '../bench/edge/unbundle.ts';
import { tempFolder } from '../support/temp-folder.ts';

const value = (sample: number): number => sample;
const rounds: Rounds<number> = new Map([
  ['bare', [10, 20, 40]],
  ['corral', [15, 40, 40]],
]);

describe('the places of a bundle', () => {
  it('are told as lines of our sources, and of packages as their files', async (t: TestContext) => {
    const { bareProxy } = buildPrograms(await tempFolder(t));
    const folder = dirname(bareProxy);
    const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
    const lines = files.flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .map((text, lineNumber) => ({ text, url: pathToFileURL(join(folder, name)).href, lineNumber })),
    );
    const unbundle = makeUnbundle();
    const find = (pattern: RegExp): string => {
      const place = lines.find(({ text }) => pattern.test(text));
      assert.ok(place !== undefined);
      const { url, lineNumber } = unbundle(place);
      return url.endsWith('bare-proxy.ts') ? `${url}:${lineNumber}` : url;
    };
    const source = readFileSync(join(import.meta.dirname, '../bench/edge/bare-proxy.ts'), 'utf8').split('\n');
    const line = source.findIndex((text) => text.includes('pool.dispatch('));
    assert.equal(find(/pool\.dispatch\(/u), `../test/bench/edge/bare-proxy.ts:${line}`);
    assert.match(
      find(/var BalancedPool = class extends/u),
      /^(?:\S*\/)?node_modules\/undici\/lib\/dispatcher\/balanced-pool\.js$/u,
    );
    const elsewhere = { url: 'node:net', lineNumber: 1 };
    assert.equal(unbundle(elsewhere), elsewhere);
  });
});

describe('the report of the edge bench', () => {
  it('compares two contestants round by round', () => {
    assert.deepEqual(ratiosOf(rounds, 'corral', 'bare', value), [1.5, 2, 1]);
    assert.equal(medianRatio(rounds, 'corral', 'bare', value), 1.5);
  });
  it('has no ratio to one that takes no part', () => {
    assert.equal(medianRatio(rounds, 'corral', 'nobody', value), undefined);
    assert.equal(medianRatio(rounds, 'nobody', 'bare', value), undefined);
  });
  it('gives spread, ratios and notes of each contestant', () => {
    const figures = { title: 'CPU', digits: 1, of: value };
    const table = renderRounds(rounds, 'bare', [figures], (name) => (name === 'corral' ? 'look' : ''));
    assert.match(table, /^\| corral \| 15\.0 \| +40\.0 \| 40\.0 \| +1\.00 \| +1\.50 \| 2\.00 \| look \|$/mu);
  });
  it('says of a goal whether it is met, missed, or cannot be judged', () => {
    assert.equal(renderGoal(atMost('at most 2', 2, 2)), 'goal: at most 2: met (2.00)\n');
    assert.equal(renderGoal(atMost('at most 2', 2.01, 2, { unit: ' ms' })), 'goal: at most 2: MISSED (2.01 ms)\n');
    assert.equal(renderGoal(atLeast('at least 5', 4, 5)), 'goal: at least 5: MISSED (4)\n');
    assert.match(renderGoal(atMost('at most 2', undefined, 2)), /not judged/u);
  });
  it('calls a figure that is no number missed', () => {
    assert.match(renderGoal(atMost('at most 2', Number.NaN, 2)), /MISSED/u);
  });
});

describe('the rounds of the edge bench', () => {
  it('give everybody a turn before anybody has a second one', async () => {
    const turns: string[] = [];
    await interleave([{ name: 'a' }, { name: 'b' }], 2, async ({ name }) => Promise.resolve(turns.push(name)));
    assert.deepEqual(turns, ['a', 'b', 'a', 'b']);
  });
  it('say who failed', async () => {
    await assert.rejects(
      interleave([{ name: 'a' }], 1, async () => Promise.reject(new Error('broke'))),
      /a failed in a round/u,
    );
  });
  it('run in the sections that are asked for, or in all', () => {
    assert.deepEqual(chooseSections(undefined), [...EDGE_SECTIONS.keys()]);
    assert.deepEqual(chooseSections('chat,lone'), ['chat', 'lone']);
    for (const wrong of ['', 'chats', 'chat,', 'constructor']) {
      assert.throws(() => chooseSections(wrong), /--sections: there is no '.*'; there are chat, lone/u);
    }
  });
});

describe('the bodies of the edge bench', () => {
  it('have the sizes that the bench speaks of, and name their model', () => {
    const chat = chatBody('m0');
    assert.ok(chat.length > 1150 && chat.length < 1250, String(chat.length));
    for (const [kind, body] of largeBodies('m0')) {
      assert.ok(body.length > 7_500_000 && body.length < 8_500_000, `${kind}: ${body.length}`);
      assert.equal(new Map(Object.entries(JSON.parse(body) as object)).get('model'), 'm0');
    }
  });
});

describe('a profile', () => {
  const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 4 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 3, 5, 6] },
      { id: 2, callFrame: frame('f', 'file:///x/node_modules/undici/lib/a.js'), children: [4] },
      { id: 3, callFrame: frame('f', 'file:///x/node_modules/undici/lib/a.js') },
      { id: 4, callFrame: frame('', 'file:///x/src/edge/<b>.js') },
      { id: 5, callFrame: frame('(idle)') },
      { id: 6, callFrame: frame('(garbage collector)') },
    ],
    samples: [2, 3, 4, 5, 6],
    timeDeltas: [100, 200, 300, 5000, 400],
  };
  const tree = readProfile(profile);

  it('counts calls of one function together, and time in which nothing ran not at all', () => {
    assert.equal(tree.total, 1000);
    assert.deepEqual(selfTimes(tree), [
      { name: '(garbage collector)', share: 0.4 },
      { name: 'f undici/lib/a.js:5', share: 0.3 },
      { name: '(anonymous) edge/<b>.js:5', share: 0.3 },
      { name: '(root)', share: 0 },
    ]);
  });
  it('becomes a picture with each frame and its share', () => {
    const picture = renderFlameGraph(tree, 'a & b');
    assert.ok(picture.includes('<title>(anonymous) edge/&lt;b&gt;.js:5 (30.0 %)</title>'));
    assert.ok(picture.includes('<title>f undici/lib/a.js:5 (60.0 %)</title>'));
    assert.ok(picture.includes('a &amp; b'));
  });
  it('is refused where it is none', () => {
    assert.throws(() => readProfile({ nodes: [] }));
  });
});
