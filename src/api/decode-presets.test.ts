import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DecodedPresets, decodePresets } from './decode-presets.ts';
import { renderArgs } from './llama-options.ts';
import { parsePresetsIni } from './parse-presets-ini.ts';
import { formatProblem } from './problem.ts';

const decode = (...lines: string[]): DecodedPresets => decodePresets(parsePresetsIni(lines.join('\n'), 'm.ini'));
const problems = (...lines: string[]): string[] => decode(...lines).problems.map(formatProblem);

function argsOf(...lines: string[]): string[] {
  const { sections, problems: found } = decode('[a]', ...lines);
  assert.deepEqual(found.map(formatProblem), []);
  return sections.flatMap(({ settings }) => renderArgs(settings.args));
}

test("llama-server's own example is read", () => {
  const {
    global,
    sections,
    problems: found,
  } = decode(
    'version = 1',
    '',
    '; comment',
    '[*]',
    'c = 8192',
    'n-gpu-layers = 8 ; a comment after a blank',
    '# another',
    '[ggml-org/MY-MODEL-GGUF:Q8_0]',
    'chat-template = chatml',
    'jinja = true',
    'LLAMA_ARG_CACHE_RAM = 0',
    'model-draft = ./my-models/draft.gguf',
    '[custom_model] # comment',
    'model=/x y/my model.gguf',
  );
  assert.deepEqual(found, []);
  assert.deepEqual(renderArgs(global.args), ['--ctx-size', '8192', '--n-gpu-layers', '8']);
  assert.deepEqual(
    sections.map(({ name, settings }) => [name, renderArgs(settings.args)]),
    [
      [
        'ggml-org/MY-MODEL-GGUF:Q8_0',
        [
          ...['--chat-template', 'chatml', '--jinja', '--cache-ram', '0'],
          ...['--model-draft', './my-models/draft.gguf'],
        ],
      ],
      ['custom_model', ['--model', '/x y/my model.gguf']],
    ],
  );
});

test('line ends of all systems count as lines', () => {
  assert.equal(decodePresets(parsePresetsIni('[a]\r\nc = 1\r[b]\nc = x;y', 'm.ini')).problems[0]?.line, 4);
});

test('flags take the eight words of llama-server, and a negative key turns them round', () => {
  for (const word of ['true', '1', 'on', 'enabled']) {
    assert.deepEqual(argsOf(`jinja = ${word}`), ['--jinja']);
    assert.deepEqual(argsOf(`no-jinja = ${word}`), ['--no-jinja']);
  }
  for (const word of ['false', '0', 'off', 'disabled']) {
    assert.deepEqual(argsOf(`jinja = ${word}`), ['--no-jinja']);
    assert.deepEqual(argsOf(`no-jinja = ${word}`), ['--jinja']);
    assert.deepEqual(argsOf(`swa-full = ${word}`), []);
  }
  assert.deepEqual(problems('[a]', 'jinja = yes'), [
    "m.ini:2: jinja: 'yes' is neither true nor false. Write true or false.",
  ]);
});

test('the negative of a variable is refused, because llama-server takes it for its opposite', () => {
  assert.deepEqual(problems('[a]', 'LLAMA_ARG_NO_JINJA = 1'), [
    'm.ini:2: LLAMA_ARG_NO_JINJA: llama-server takes this key for its opposite. Write no-jinja = true.',
  ]);
});

test('a two-value option has both in its value', () => {
  assert.deepEqual(argsOf('control-vector-layer-range = 1 9'), ['--control-vector-layer-range', '1', '9']);
  assert.equal(problems('[a]', 'control-vector-layer-range = 1').length, 1);
});

test('an empty value is a value', () => {
  assert.deepEqual(argsOf('grammar ='), ['--grammar', '']);
});

test("keys of the router and Corral's own become settings", () => {
  const { sections, problems: found } = decode(
    '[a]',
    'alias = x, y/z:Q4 ,',
    'tags = t1,t2',
    'load-on-startup = on',
    'stop-timeout = 7',
    'idle-timeout = 15m',
    'load-timeout = 90',
    'version = 3',
  );
  assert.deepEqual(found, []);
  const site = { file: 'm.ini', line: 2, field: 'alias' };
  assert.deepEqual(sections[0]?.settings, {
    args: [],
    aliases: [
      { name: 'x', site },
      { name: 'y/z:Q4', site },
    ],
    tags: ['t1', 't2'],
    loadOnStartup: true,
    stopTimeout: 7000,
    idleTimeout: 900_000,
    loadTimeout: 90_000,
  });
});

test('a setting with a bad value is an error', () => {
  assert.deepEqual(
    problems('[a]', 'load-on-startup = maybe', 'stop-timeout = -1', 'idle-timeout = 1 day', 'load-timeout = 0').map(
      (text) => text.split(': ')[1],
    ),
    ['load-on-startup', 'stop-timeout', 'idle-timeout', 'load-timeout'],
  );
});

test('all faults of a file are reported, each with file, line, key, reason and fix, in the order of the lines', () => {
  assert.deepEqual(
    problems(
      'ctx-size = 1',
      '[a]',
      'ctx-sze = 1',
      '  jinja = true',
      'port = 8080',
      'banana',
      'samplers = top_k;top_p',
      '[]',
      '[b',
      '[a]',
      'zzzzzzzzz = 1',
    ),
    [
      'm.ini:1: ctx-size: the key stands before any section, where it would make a model named "default". Move it under [*] for all models, or under a [model].',
      "m.ini:3: ctx-sze: neither corral nor llama-server v0.5.0 has this option. Did you mean ctx-size? If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in Corral's environment.",
      'm.ini:4: the line is indented, which llama-server cannot read. Begin it in the first column.',
      'm.ini:5: port: Corral sets the address of each llama-server itself.',
      'm.ini:6: the line is neither [section], key = value nor a comment. Write key = value.',
      'm.ini:7: samplers: the value holds ; or #, where llama-server cuts it off without a word. Put a blank before a comment; write a value with ; or # in a manifest (corral serve -f).',
      'm.ini:8: the section has no legal name. Write [name].',
      'm.ini:9: the section has no legal name. Write [name].',
      'm.ini:10: [a]: section [a] is already in line 2, and llama-server would forget that one. Merge the two.',
      "m.ini:11: zzzzzzzzz: neither corral nor llama-server v0.5.0 has this option. If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in Corral's environment.",
    ],
  );
});

test('of lines that cannot be read the first ten are told, and how many more there are; keys are told all the same', () => {
  const bad = Array.from({ length: 10 }, () => 'banana');
  assert.equal(problems('[a]', ...bad).length, 10);
  assert.equal(problems('[a]', ...bad, 'banana').length, 11);
  const told = problems('[a]', ...bad, 'banana', '  jinja = true', 'port = 1', '[b');
  assert.deepEqual(told.slice(10), [
    'm.ini:12: and 3 more lines that cannot be read. Is it a presets file?',
    'm.ini:14: port: Corral sets the address of each llama-server itself.',
  ]);
});

test('a manifest is told by one line, and a presets file with a line of one by its own faults', () => {
  const manifest = ['# x', 'apiVersion: corral.dev/v1alpha1', 'kind: ModelPool', 'metadata:', '  name: a', 'c = 1'];
  const fix = 'this is no presets file. It looks like a manifest: give it with -f.';
  assert.deepEqual(problems(...manifest), [`m.ini:2: ${fix}`]);
  assert.deepEqual(problems('kind: ModelPool'), [`m.ini:1: ${fix}`]);
  assert.deepEqual(problems('[a]', 'kind: x'), [
    'm.ini:2: the line is neither [section], key = value nor a comment. Write key = value.',
  ]);
});

test('one option twice in a section is an error, also under two spellings', () => {
  assert.deepEqual(problems('[a]', 'c = 1', 'b = 2', 'ctx-size = 3'), [
    'm.ini:4: ctx-size: line 2 sets the same option in this section. Keep one; several values of one option are separated by commas.',
  ]);
});

test('an alias for all models is an error', () => {
  assert.deepEqual(problems('[*]', 'alias = x'), [
    'm.ini:2: alias: every model would have the same alias. Move it under a [model].',
  ]);
});

test('a section or an alias that cannot be a name is an error', () => {
  assert.equal(problems('[a,b]', `[${'x'.repeat(257)}]`, '[c]', `alias = ${'y'.repeat(257)}`).length, 3);
});

test('names that objects inherit are ordinary sections and unknown keys', () => {
  assert.deepEqual(
    decode('[__proto__]', '[constructor]').sections.map(({ name }) => name),
    ['__proto__', 'constructor'],
  );
  assert.equal(problems('[a]', '__proto__ = 1', 'constructor = 1').length, 2);
});

test('a key that cannot matter to Corral is listed', () => {
  const { withoutEffect, problems: found } = decode('[a]', 'dedup-cache-models = true');
  assert.deepEqual(found, []);
  assert.deepEqual(
    withoutEffect.map(({ field }) => field),
    ['[a] dedup-cache-models'],
  );
});
