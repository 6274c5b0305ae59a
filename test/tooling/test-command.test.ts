import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runCommand } from './support/run-command.ts';
import { makeTempTree } from './support/temp-tree.ts';
import type { Outcome } from './support/run-command.ts';
import type { TempTree } from './support/temp-tree.ts';

const test = (title: string, body = ''): string =>
  `import { it } from 'node:test';\nit(${JSON.stringify(title)}, () => { ${body} });\n`;

describe('the test command', () => {
  let tree: TempTree;
  /** A small project with one passing test in each part, and a llama-server, a spin and a gcc that are only names. */
  beforeEach(() => {
    tree = makeTempTree();
    tree.copy('scripts', 'package.json');
    tree.write('bin/corral', '#!/bin/sh\n[ "$*" = "llama-server --build" ] && echo /fake/llama-server\n', 0o755);
    tree.write('src/a/one.test.ts', test('adds up'));
    tree.write('test/tooling/two.test.ts', test('is tidy'));
    tree.write(
      'test/llama/three.test.ts',
      test('answers', "if (process.env.LLAMA_SERVER !== '/fake/llama-server') throw new Error();"),
    );
    tree.write(
      'test/cluster/four.test.ts',
      test('is in a cluster', "if (process.env.FAKE_CLUSTER !== 'up') throw new Error(process.env.FAKE_CLUSTER);"),
    );
    tree.write('test/protocol/five.test.ts', test('is searched'));
    for (const name of ['spin', 'gcc']) tree.write(`programs/${name}`, '#!/bin/sh\n', 0o755);
    cluster("return { kind: 'done', result: await work({ FAKE_CLUSTER: 'up' }) };");
  });
  afterEach(() => {
    tree.remove();
  });

  /** What stands in for the start of a cluster, and for the building of its programs. */
  const cluster = (body: string, fill = ''): string =>
    tree.write(
      'test/cluster/support/with-cluster.ts',
      `export async function withCluster(options, work) { ${body} }\nexport async function fillCaches() { ${fill} }\n`,
    );
  const run = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Outcome =>
    runCommand(process.execPath, [join(tree.path, 'scripts/test.ts'), ...args], {
      cwd: tree.path,
      env: {
        CORRAL_SEED: undefined,
        CORRAL_REQUIRE: undefined,
        LLAMA_SERVER: undefined,
        PATH: [join(tree.path, 'programs'), process.env['PATH']].join(delimiter),
        ...env,
      },
    });
  const breakLlamaServer = (): string => tree.write('bin/corral', '#!/bin/sh\necho no compiler >&2\nexit 1\n', 0o755);

  it('runs every part, shows a table and ends with the plain line', () => {
    const { status, stdout } = run();
    assert.equal(status, 0, stdout);
    assert.match(
      stdout,
      /\npart +passed +failed +skipped +seconds\nunit +1 +0 +0 .*\ntooling +1 +0 +0 .*\nspin +1 +0 +0 .*\nllama +1 +0 +0 .*\ncluster +1 +0 +0 .*\n/,
    );
    assert.match(stdout, /\n5 passed, 0 failed\n$/);
  });

  const FS = "const fs = process.getBuiltinModule('node:fs');";
  const begin = (name: string): string => `${FS} fs.writeFileSync(${JSON.stringify(join(tree.path, name))}, '');`;
  const waitFor = (name: string): string => {
    const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);';
    const isThere = `fs.existsSync(${JSON.stringify(join(tree.path, name))})`;
    return `{ ${FS} for (let looks = 0; !${isThere}; looks += 1) if (looks === 500) throw new Error(); else ${wait} }`;
  };

  it('runs tests with control planes of their own beside those that share the cluster, as one part', () => {
    tree.write('test/cluster/four.test.ts', test('shares', `${begin('shared')} ${waitFor('own')}`));
    tree.write('test/cluster/planes/six.test.ts', test('has its own', `${begin('own')} ${waitFor('shared')}`));
    const { status, stdout } = run(['test/cluster']);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /\ncluster +2 +0 +0 .*\n2 passed, 0 failed\n$/u);
    tree.write('test/cluster/planes/six.test.ts', test('fails', 'throw new Error();'));
    assert.match(run(['test/cluster/planes']).stdout, /\ncluster +0 +1 +0 .*\n0 passed, 1 failed\n/u);
  });

  it('runs what needs no cluster beside what does, and prints it in one piece', () => {
    tree.write('test/cluster/four.test.ts', test('begins', begin('cluster')));
    tree.write('test/tooling/two.test.ts', test('waits for the cluster', waitFor('cluster')));
    const { status, stdout } = run();
    assert.equal(status, 0, stdout);
    const headings = [...stdout.matchAll(/^== (\w+)$/gmu)].map(([, name]) => name);
    assert.deepEqual(headings, ['unit', 'cluster', 'tooling', 'spin', 'llama']);
  });

  it('runs nothing while the programs of a cluster are built, and builds none where no test needs them', () => {
    const slow = 'await new Promise((done) => setTimeout(done, 200));';
    cluster("return { kind: 'done', result: await work({ FAKE_CLUSTER: 'up' }) };", `${slow} ${begin('built')}`);
    const isBuilt = `${FS} if (!fs.existsSync(${JSON.stringify(join(tree.path, 'built'))})) throw new Error();`;
    tree.write('test/tooling/two.test.ts', test('comes after the build', isBuilt));
    assert.equal(run(['test/tooling']).status, 1, 'it was built for nobody');
    const { status, stdout } = run();
    assert.equal(status, 0, stdout);
  });

  it('fails a test that does not end, by its name, and runs the others of its file', () => {
    const script = readFileSync(join(tree.path, 'scripts/test-run.ts'), 'utf8');
    const quick = script.replace('testTimeoutMs = 5 * 60_000', 'testTimeoutMs = 100');
    assert.notEqual(quick, script);
    tree.write('scripts/test-run.ts', quick);
    const hangs =
      "import { it } from 'node:test';\nit('hangs', async () => new Promise((end) => setTimeout(end, 10_000)));\n";
    tree.write('src/a/one.test.ts', `${hangs}it('adds up', () => {});\n`);
    const { status, stdout } = run(['src/a']);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /✖ hangs.*\n✔ adds up/u);
    assert.match(stdout, /test timed out after 100ms/u);
  });

  it('fails when the observer of the cluster has something to say, whatever the tests say', () => {
    cluster("return { kind: 'done', result: await work({ FAKE_CLUSTER: 'up' }), complaint: 'it was too full' };");
    const { status, stdout } = run();
    assert.equal(status, 1, stdout);
    assert.match(stdout, /\ncluster +1 +1 +0 .*\ncluster: it was too full\n5 passed, 1 failed\n/);
  });

  it('fails when a test fails, and tells the seed again', () => {
    tree.write('src/a/bad.test.ts', test('does not add up', "throw new Error('seed ' + process.env.CORRAL_SEED);"));
    const { status, stdout } = run([], { CORRAL_SEED: '42' });
    assert.equal(status, 1);
    assert.match(stdout, /^CORRAL_SEED=42\n/);
    assert.match(stdout, /seed 42/);
    assert.match(stdout, /\n5 passed, 1 failed\nfailed; .*CORRAL_SEED=42 npm test\n$/);
  });

  it('chooses a seed where none is given', () => {
    tree.write('src/a/one.test.ts', test('has a seed', 'console.log("seen", process.env.CORRAL_SEED);'));
    const { stdout } = run(['src']);
    const seed = /^CORRAL_SEED=(\d+)\n/.exec(stdout)?.[1];
    assert.match(stdout, new RegExp(`seen ${seed}\\b`));
  });

  it('names a part that it cannot run, with the reason and the fix, and still passes', () => {
    breakLlamaServer();
    const { status, stdout, stderr } = run();
    assert.equal(status, 0, stdout);
    assert.match(stderr, /no compiler/);
    assert.match(stdout, /\nllama: skipped: no llama-server .*fix: .*LLAMA_SERVER/);
    assert.match(stdout, /\n3 passed, 0 failed, 2 skipped\n$/);
  });

  it('names the part whose cluster this machine cannot run, with the reason, and still passes unless it is required', () => {
    cluster("return { kind: 'absent', reason: 'no Go; fix: install it' };");
    const skipped = run();
    assert.equal(skipped.status, 0, skipped.stdout);
    assert.match(skipped.stdout, /\ncluster: skipped: no Go; fix: install it\n4 passed, 0 failed, 1 skipped\n$/);
    for (const required of ['cluster', 'node']) {
      const { status, stdout } = run([], { CORRAL_REQUIRE: required });
      assert.equal(status, 1);
      assert.match(stdout, /\ncluster: failed, because CORRAL_REQUIRE demands it: no Go; fix: install it\n/);
    }
  });

  for (const [broken, reason] of [
    [['spin'], 'no spin; fix: install what is missing, on Debian by: apt-get install spin'],
    [['spin', 'gcc'], 'no spin and no gcc; fix: install what is missing, on Debian by: apt-get install spin gcc'],
  ] as const) {
    it(`skips the part that needs ${broken.join(' and ')} without it, unless it is required`, () => {
      for (const name of broken) tree.write(`programs/${name}`, '#!/bin/sh\nexit 1\n', 0o755);
      const skipped = run();
      assert.equal(skipped.status, 0, skipped.stdout);
      assert.ok(skipped.stdout.endsWith(`\nspin: skipped: ${reason}\n4 passed, 0 failed, 1 skipped\n`), skipped.stdout);
      const { status, stdout } = run([], { CORRAL_REQUIRE: 'spin' });
      assert.equal(status, 1);
      assert.ok(stdout.includes(`\nspin: failed, because CORRAL_REQUIRE demands it: ${reason}\n`), stdout);
    });
  }

  for (const [required, expected] of [
    ['cluster', false],
    ['llama,node', true],
  ] as const) {
    it(`asks for a cluster ${expected ? 'with a real node' : 'of any kind'} with CORRAL_REQUIRE=${required}`, () => {
      cluster("throw new Error('a real node: ' + options.requireNode);");
      assert.match(
        run(['test/cluster'], { CORRAL_REQUIRE: required }).stderr,
        new RegExp(`a real node: ${expected}`, 'u'),
      );
    });
  }

  it('fails when a part that it cannot run is required', () => {
    breakLlamaServer();
    const { status, stdout } = run([], { CORRAL_REQUIRE: 'unit, llama' });
    assert.equal(status, 1);
    assert.match(stdout, /\nllama: failed, because CORRAL_REQUIRE demands it: .*fix: /);
  });

  for (const required of ['chart', 'llama,chart', 'Llama']) {
    it(`refuses CORRAL_REQUIRE=${required}, which names a part that does not exist`, () => {
      const { status, stdout, stderr } = run([], { CORRAL_REQUIRE: required });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(
        stderr,
        /^npm test: CORRAL_REQUIRE: this version has no part '(chart|Llama)' .*unit, tooling, spin, llama, cluster, node\n$/,
      );
    });
  }

  for (const seed of ['', 'x', '-1', '1.5', '2147483648', '1e3']) {
    it(`refuses CORRAL_SEED='${seed}'`, () => {
      const { status, stderr } = run([], { CORRAL_SEED: seed });
      assert.equal(status, 2);
      assert.match(stderr, /^npm test: CORRAL_SEED: must be an integer /);
    });
  }

  it('fails for a part with no tests', () => {
    runCommand('rm', ['-r', 'test/tooling'], { cwd: tree.path });
    const { status, stdout } = run();
    assert.equal(status, 1);
    assert.match(stdout, /\ntooling: a part with no tests /);
  });

  it('fails for a file with no tests, which node:test counts as passed', () => {
    tree.write('src/a/empty.test.ts', 'export {};\n');
    const { status, stdout } = run();
    assert.equal(status, 1);
    assert.match(stdout, /\nunit: no test in \S+empty\.test\.ts\n5 passed, 1 failed\n/);
  });

  it('fails for a hook that fails, which node:test does not count', () => {
    const body =
      "import { after, describe, it } from 'node:test';\ndescribe('d', () => { after(() => { throw new Error(); }); it('i', () => {}); });\n";
    tree.write('src/a/hook.test.ts', body);
    const { status, stdout } = run();
    assert.equal(status, 1);
    assert.match(stdout, /\n6 passed, 1 failed\n/);
  });

  it('counts a skipped test as skipped', () => {
    tree.write('src/a/skips.test.ts', "import { it } from 'node:test';\nit.skip('later', () => {});\n");
    const { status, stdout } = run();
    assert.equal(status, 0);
    assert.match(stdout, /\n5 passed, 0 failed, 1 skipped\n$/);
  });

  it('runs only the files and folders it is given', () => {
    tree.write('src/b/other.test.ts', test('is not asked for', 'throw new Error();'));
    assert.match(run(['src/a/one.test.ts']).stdout, /\n1 passed, 0 failed\n$/);
    assert.match(run(['src/a', 'test']).stdout, /\n5 passed, 0 failed\n$/);
  });

  it('runs only the tests whose names match', () => {
    const { status, stdout } = run(['adds', 'tidy']);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /\n2 passed, 0 failed\n$/);
  });

  it('fails when no test matches', () => {
    const { status, stderr } = run(['nothing is called this']);
    assert.equal(status, 1);
    assert.match(stderr, /no test matches/);
  });

  for (const [arg, message] of [
    ['--help', /no option; name files, folders, or regular expressions/],
    ['src/nowhere.test.ts', /no such test file/],
    ['package.json', /is no test file of any part/],
    ['scripts', /holds no test file of any part/],
    ['(', /neither a file nor a regular expression/],
  ] as const) {
    it(`refuses the argument ${arg}`, () => {
      const { status, stderr } = run([arg]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }
});
