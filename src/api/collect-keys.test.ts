import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { collectKeys, type CollectedKeys, type KeyInputs } from './collect-keys.ts';
import { formatProblem } from './problem.ts';

const sha = (key: string): string => hash('sha256', key);
const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

function collect(inputs: { keys?: string; files?: readonly string[]; given?: readonly string[] }): CollectedKeys {
  const all: KeyInputs = {
    keysFile:
      inputs.keys === undefined ? undefined : { ok: true, file: { file: 'keys.yaml', bytes: bytes(inputs.keys) } },
    apiKeyFiles: (inputs.files ?? []).map((text) => ({ ok: true, file: { file: 'keys.txt', bytes: bytes(text) } })),
    apiKeys: inputs.given ?? [],
  };
  return collectKeys(all);
}

function keysOf(inputs: Parameters<typeof collect>[0]): readonly { id: string; sha256: string }[] {
  const collected = collect(inputs);
  assert.ok(collected.ok, JSON.stringify(collected));
  return collected.keys.map(({ id, sha256 }) => ({ id, sha256 }));
}

function problemsOf(inputs: Parameters<typeof collect>[0]): string[] {
  const collected = collect(inputs);
  assert.ok(!collected.ok);
  return collected.problems.map(formatProblem);
}

describe('a keys file', () => {
  it('gives its keys, with what they may do where it says nothing', () => {
    const collected = collect({
      keys: `
keys:
- id: ci
  sha256: "${sha('one')}"
- id: team@example.org
  sha256: "${sha('two').toUpperCase()}"
  models: [Qwen/*, embedding]
  operations: [models:manage, infer]
  maxInFlight: 4
`,
    });
    assert.deepEqual(collected, {
      ok: true,
      keys: [
        { id: 'ci', sha256: sha('one'), models: ['*'], operations: ['infer'], maxInFlight: undefined },
        {
          id: 'team@example.org',
          sha256: sha('two'),
          models: ['Qwen/*', 'embedding'],
          operations: ['models:manage', 'infer'],
          maxInFlight: 4,
        },
      ],
    });
  });

  it('may be JSON, and may let nobody in', () => {
    assert.deepEqual(keysOf({ keys: '{"keys": []}' }), []);
  });

  const entry = (rest: string): string => `keys:\n- id: a\n  sha256: "${sha('k')}"\n${rest}`;
  for (const [what, keys, problem] of [
    ['is empty', '', /^keys\.yaml: the file holds nothing\. Write one list under keys:/u],
    ['has two documents', 'keys: []\n---\nkeys: []\n', /more than one document/u],
    ['is no YAML', 'keys: [\n', /^keys\.yaml:\d+:\d+: this is not valid YAML\.$/u],
    [
      'has an entry in another column than the others',
      `keys:\n  - id: a\n    sha256: ${sha('k')}\n- id: b\n  sha256: ${sha('l')}\n`,
      /^keys\.yaml:4:1: this is not valid YAML\. Begin each `- id:` in the same column, and take `\[\]` away behind keys:\.$/u,
    ],
    [
      'has an entry behind an empty list',
      `keys: []\n- id: b\n  sha256: ${sha('l')}\n`,
      /^keys\.yaml:2:1: this is not valid YAML\. Begin each `- id:` .*\.$/u,
    ],
    ['is a list', '- id: a\n', /^keys\.yaml:1:1: must be an object\.$/u],
    ['has no list', 'key: []\n', /^keys\.yaml:1:1: key: a key must not stand/u],
    [
      'has no key yet',
      'keys:\n',
      /^keys\.yaml:1:6: keys: the file holds no key yet\. Add one: corral key --id NAME >> keys\.yaml$/u,
    ],
    ['has an object for the list', 'keys: {a: 1}\n', /^keys\.yaml:1:7: keys: must be a list of at most 1000 items\.$/u],
    [
      'has no id',
      `keys:\n- sha256: ${sha('k')}\n`,
      /^keys\.yaml:2:3: keys\[0\]\.id: the field is missing\. It must be a name/u,
    ],
    [
      'has an id with a blank',
      `keys:\n- id: a b\n  sha256: ${sha('k')}\n`,
      /^keys\.yaml:2:7: keys\[0\]\.id: must be a name/u,
    ],
    [
      'has an id that may be a key',
      `keys:\n- id: ${'k'.repeat(41)}\n  sha256: ${sha('k')}\n`,
      /^keys\.yaml:2:7: keys\[0\]\.id: must be/u,
    ],
    ['has no hash', 'keys:\n- id: a\n', /keys\[0\]\.sha256: the field is missing\. It must be 64 hexadecimal digits/u],
    [
      'has half a hash',
      'keys:\n- id: a\n  sha256: abc\n',
      /^keys\.yaml:3:11: keys\[0\]\.sha256: must be 64 hexadecimal digits\.$/u,
    ],
    [
      'has a misspelled field',
      entry('  model: [a]\n'),
      /^keys\.yaml:4:3: keys\[0\]\.model: there is no such field\. .*models/u,
    ],
    ['has no models', entry('  models: []\n'), /^keys\.yaml:4:11: keys\[0\]\.models: must be a list of 1 to/u],
    ['has a model that is a number', entry('  models: [7]\n'), /keys\[0\]\.models\[0\]: must be the name of a model/u],
    ['has a model twice', entry('  models: [a, a]\n'), /keys\[0\]\.models\[0\] has this value already/u],
    [
      'has an unknown operation',
      entry('  operations: [admin]\n'),
      /^keys\.yaml:4:16: keys\[0\]\.operations\[0\]: must be infer or models:manage/u,
    ],
    [
      'has no operations',
      entry('  operations: []\n'),
      /keys\[0\]\.operations: must be a list of infer, models:manage, or both/u,
    ],
    [
      'has a limit of none',
      entry('  maxInFlight: 0\n'),
      /^keys\.yaml:4:16: keys\[0\]\.maxInFlight: must be a whole number from 1/u,
    ],
    [
      'has an id twice',
      `${entry('')}- id: a\n  sha256: "${sha('l')}"\n`,
      /^keys\.yaml:4:7: keys\[1\]\.id: keys\[0\] has this id already/u,
    ],
    [
      'has a hash twice',
      `${entry('')}- id: b\n  sha256: "${sha('k').toUpperCase()}"\n`,
      /^keys\.yaml:5:11: keys\[1\]\.sha256: keys\.yaml:3:11 has this sha256 already/u,
    ],
  ] as const) {
    it(`that ${what} is refused, with the place, the reason and the fix`, () => {
      assert.match(problemsOf({ keys }).join('\n'), problem);
    });
  }

  for (const field of ['key', 'apiKey', 'token', 'secret', 'value']) {
    it(`with a key in clear text as ${field} is refused, and says how to hash it`, () => {
      const problems = problemsOf({ keys: `keys:\n- id: a\n  ${field}: corral_1\n` }).join('\n');
      assert.match(problems, new RegExp(`^keys\\.yaml:3:3: keys\\[0\\]\\.${field}: a key must not stand`, 'mu'));
      assert.match(problems, /printf %s 'KEY' \| sha256sum.*corral key/u);
    });
  }

  const SECRET = 'corral_0123456789abcdefghijklmnopqrstuvwxyz';
  for (const keys of [
    SECRET,
    `- ${SECRET}`,
    `keys: ${SECRET}`,
    `keys: ]${SECRET}`,
    `keys: |${SECRET}`,
    `%${SECRET}\n---\na`,
    `!${SECRET} a`,
    `*${SECRET}`,
    `keys: *${SECRET}`,
    `${SECRET}: 1`,
    `${SECRET}: 1\n${SECRET}: 2`,
    `keys:\n- ${SECRET}`,
    `keys:\n- ${SECRET}: ${SECRET}`,
    `keys:\n- id: a\n  ${SECRET}:`,
    `keys:\n- id: a\n  key: ${SECRET}`,
    `keys:\n- id: a\n  sha256: ${SECRET}`,
    `keys:\n- id: ${SECRET}\n  sha256: ${SECRET}`,
    `keys:\n- id: {${SECRET}: 1}\n  sha256: [${SECRET}]`,
    `keys:\n- id: a\n  sha256: ${sha('k')}\n  models: ${SECRET}\n  operations: [${SECRET}]\n  maxInFlight: ${SECRET}`,
    `keys:\n- id: a\n  sha256: ${sha('k')}\n  models: [${SECRET}, ${SECRET}]`,
  ]) {
    it(`with a key in a wrong place is refused without repeating it: ${JSON.stringify(keys)}`, () => {
      const problems = problemsOf({ keys });
      assert.ok(problems.length > 0);
      assert.ok(!problems.join('\n').includes('0123456789'), problems.join('\n'));
    });
  }

  it('that is not there, or is no text, is refused', () => {
    const problem = { file: 'keys.yaml', reason: 'there is no such file' };
    const missing = collectKeys({ keysFile: { ok: false, problem }, apiKeyFiles: [], apiKeys: [] });
    assert.deepEqual(missing, { ok: false, problems: [problem] });
    const file = { file: 'keys.yaml', bytes: Buffer.from([0x6b, 0xff]) };
    const binary = collectKeys({ keysFile: { ok: true, file }, apiKeyFiles: [], apiKeys: [] });
    assert.ok(!binary.ok);
    assert.match(String(binary.problems[0]?.reason), /UTF-8/u);
  });
});

describe("llama-server's own ways to give keys", () => {
  const ids = (...keys: string[]): unknown =>
    keys.map((key, index) => ({ id: `api-key/${index + 1}`, sha256: sha(key) }));

  it('are read as llama-server reads them on its command line', () => {
    assert.deepEqual(keysOf({ given: ['a'] }), ids('a'));
    assert.deepEqual(keysOf({ given: ['a,b', 'c'] }), ids('a', 'b', 'c'));
    assert.deepEqual(keysOf({ given: [',a,,b,'] }), ids('a', 'b'));
    assert.deepEqual(keysOf({ given: ['"a,b",c'] }), ids('a,b', 'c'));
    assert.deepEqual(keysOf({ given: ['"a""b"'] }), ids('a"b'));
    assert.deepEqual(keysOf({ given: ['a"b'] }), ids('a"b'));
    assert.deepEqual(keysOf({ given: ['"a"b,c'] }), ids('ab', 'c'));
    assert.deepEqual(keysOf({ given: ['a b'] }), ids('a b'));
    assert.deepEqual(keysOf({ given: ['schlüssel'] }), ids('schlüssel'));
  });

  it('are read as llama-server reads them from a file, one a line', () => {
    assert.deepEqual(keysOf({ files: ['# mine\na\n\n#b\nc,d\n"e"'] }), [
      { id: 'api-key-file/2', sha256: sha('a') },
      { id: 'api-key-file/5', sha256: sha('c,d') },
      { id: 'api-key-file/6', sha256: sha('"e"') },
    ]);
    assert.deepEqual(
      keysOf({ files: ['a\n', 'b\n'] }).map(({ id }) => id),
      ['api-key-file/1', 'api-key-file-2/1'],
    );
  });

  it('give keys that may do everything', () => {
    const collected = collect({ given: ['a'] });
    assert.ok(collected.ok);
    const [key] = collected.keys;
    assert.deepEqual([key?.models, key?.operations, key?.maxInFlight], [['*'], ['infer', 'models:manage'], undefined]);
  });

  it('may give a key twice, and stand beside a keys file', () => {
    const keys = `keys: [{id: a, sha256: "${sha('z')}"}]`;
    assert.deepEqual(
      keysOf({ keys, given: ['a', 'a'], files: ['a\nb\n'] }).map(({ id }) => id),
      ['a', 'api-key/1', 'api-key-file/2'],
    );
  });

  it('may not give a key that the keys file gives other rights to', () => {
    const keys = `keys: [{id: a, sha256: "${sha('z')}"}]`;
    assert.match(
      problemsOf({ keys, given: ['z'] }).join(),
      /^keys\.yaml:1:24: keys\[0\]\.sha256: .*api-key\/1, which may do everything\. Take/u,
    );
  });

  for (const [what, inputs, problem] of [
    ['an empty value', { given: [''] }, /^command line: --api-key or LLAMA_API_KEY: it holds no key\. Give one/u],
    ['commas only', { given: ['a', ',,'] }, /it holds no key/u],
    ['blanks around it', { given: [' a'] }, /must not begin or end with blanks/u],
    ['a file without keys', { files: ['# none\n\n'] }, /^keys\.txt: the file holds no key\. Write one key a line/u],
    ['an empty file', { files: [''] }, /holds no key/u],
    [
      'lines as Windows ends them',
      { files: ['a\r\nb\r\n'] },
      /^keys\.txt:1:1: the line ends in a carriage return\. .*\n?,?keys\.txt:2:1/u,
    ],
    ['a byte order mark', { files: ['\u{feff}a\n'] }, /^keys\.txt:1:1: the line begins with a byte order mark/u],
    ['a control character', { files: ['b\na\u0007b\n'] }, /^keys\.txt:2:1: a key must not .* control characters/u],
  ] as const) {
    it(`are refused with ${what}, instead of letting everybody in or nobody`, () => {
      assert.match(problemsOf(inputs).join(), problem);
    });
  }
});
