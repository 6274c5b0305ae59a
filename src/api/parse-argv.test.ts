import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LLAMA_OPTIONS } from './llama-options.generated.ts';
import { type ArgItem, findOption, longName, renderArgs } from './llama-options.ts';
import { parseArgv } from './parse-argv.ts';
import { formatProblem } from './problem.ts';
import { findRefusal } from './reserved-options.ts';

const own = [
  { names: ['--models-dir'], values: 1 },
  { names: ['--port'], values: 1 },
  { names: ['-f', '--filename'], values: 1 },
  { names: ['-h', '--help'], values: 0 },
] as const;

const parse = (line: string): { options: string[]; rest: readonly string[]; problems: string[] } => {
  const { options, rest, problems } = parseArgv(line.split(' '), own);
  return { options: renderArgs(options), rest, problems: problems.map(formatProblem) };
};

test('options of llama-server are taken out in every form it knows, and also with an equals sign', () => {
  assert.deepEqual(parse('serve -ngl 99 --ctx-size=8192 --no-jinja --temp -1 --control-vector-layer-range 1 9'), {
    options: [
      ...['--n-gpu-layers', '99', '--ctx-size', '8192', '--no-jinja'],
      ...['--temperature', '-1', '--control-vector-layer-range', '1', '9'],
    ],
    rest: ['serve'],
    problems: [],
  });
});

test("Corral's own options stay, with their values, also where llama-server has one of the same name", () => {
  const line = 'serve --models-dir m --port 1 -c 5 --port=2 -f a.yaml -h --filename=b';
  assert.deepEqual(parse(line), {
    options: ['--ctx-size', '5'],
    rest: ['serve', '--models-dir', 'm', '--port', '1', '--port=2', '-f', 'a.yaml', '-h', '--filename=b'],
    problems: [],
  });
});

test('a value is split from its option at the first equals sign only, and may begin with a dash', () => {
  assert.deepEqual(parse('--chat-template-kwargs={"a":"b=c"}').options, ['--chat-template-kwargs', '{"a":"b=c"}']);
  assert.deepEqual(parse('--grammar=--jinja').options, ['--grammar', '--jinja']);
});

test('everything after two dashes is rest', () => {
  assert.deepEqual(parse('-c 1 -- --ctx-size 2'), {
    options: ['--ctx-size', '1'],
    rest: ['--', '--ctx-size', '2'],
    problems: [],
  });
});

test('a missing value is an error and does not swallow the next option', () => {
  assert.deepEqual(parse('--ctx-size --jinja'), {
    options: ['--jinja'],
    rest: [],
    problems: [
      'command line: --ctx-size: this option needs a value. Write --ctx-size VALUE, or --ctx-size=VALUE for a value that begins with a dash.',
    ],
  });
  assert.match(parse('--control-vector-layer-range 1').problems.join(), /needs 2 values/u);
});

const allowed = (item: ArgItem): boolean => findRefusal(item, 'command line') === undefined;

/** What is proposed for each of llama-server's options that is written without its value, and what it is to become. */
const proposals = LLAMA_OPTIONS.filter(({ values }) => values > 0).flatMap((option) =>
  option.names.flatMap((name) => {
    const fixes = parseArgv([name], own).problems.map(({ fix }) => String(fix));
    const ways = fixes.flatMap((fix) => [...fix.matchAll(/-\S+(?:=VALUE|(?: VALUE)+)/gu)].map(([way]) => way));
    const item: ArgItem = { kind: 'values', option, values: Array.from({ length: option.values }, () => 'VALUE') };
    return { ways, expected: fixes.length * (option.values === 1 ? 2 : 1), item };
  }),
);

test('what is proposed for a missing value is read, for every option under each of its names', () => {
  for (const { ways, expected, item } of proposals) {
    assert.equal(ways.length, expected, ways.join());
    for (const way of allowed(item) ? ways : []) {
      const { options, problems } = parse(way);
      assert.deepEqual([options, problems], [renderArgs([item]), []], way);
    }
  }
  assert.match(parse('-fa').problems.join(), /-fa VALUE, or --flash-attn=VALUE/u);
});

test('an unknown option is an error with the nearest known name, of Corral or of llama-server', () => {
  const unknown = 'neither corral nor llama-server v0.5.0 has this option';
  for (const [line, near] of [
    ['--ctx-sze 1', ' Did you mean --ctx-size?'],
    ['--filenam x', ' Did you mean --filename?'],
    ['--zzzzzzzz', ''],
  ] as const) {
    assert.deepEqual(parse(line).problems, [
      `command line: ${line.split(' ', 1).join('')}: ${unknown}.${near} If your llama-server is of another version and has it, set its variable (LLAMA_ARG_…) in Corral's environment.`,
    ]);
  }
  assert.equal(parse('--__proto__').problems.length, 1);
});

test('a flag with a value is an error', () => {
  const reason = 'this option takes no value. Write --jinja or --no-jinja.';
  assert.deepEqual(parse('--jinja=true').problems, [`command line: --jinja: ${reason}`]);
  assert.deepEqual(parse('--no-jinja=1').problems, [
    'command line: --no-jinja: this option takes no value. Write --no-jinja or --jinja.',
  ]);
  assert.match(parse('--swa-full=1').problems.join(), /Write --swa-full\.$/u);
});

test('all problems of a command line are reported, and no value is repeated in them', () => {
  const { problems } = parse('--api-key s3cret --unknown=s3cret -m s3cret --no-slots');
  assert.equal(problems.length, 4);
  assert.doesNotMatch(problems.join(), /s3cret/u);
});

test('a model on the command line is refused with the way to name models', () => {
  for (const line of ['-m x.gguf', '--hf-repo a/b', '-mu http://x', '-dr x']) {
    assert.match(
      parse(line).problems.join(),
      /single-model server with it\. Use --models-dir or --models-preset\./u,
      line,
    );
  }
});

const anyItem: fc.Arbitrary<ArgItem> = fc
  .constantFrom(...LLAMA_OPTIONS)
  .chain((option): fc.Arbitrary<ArgItem> =>
    option.values === 0
      ? fc.boolean().map((on) => ({ kind: 'flag', option, on: on || option.negatives.length === 0 }))
      : fc
          .array(fc.string(), { minLength: option.values, maxLength: option.values })
          .map((values) => ({ kind: 'values', option, values })),
  )
  .filter((item) => allowed(item) && !own.some(({ names }) => names.some((name) => name === longName(item.option))))
  .filter((item) => item.kind === 'flag' || !item.values.some((value) => findOption(value)?.by === 'name'));

test('what renderArgs writes, parseArgv reads back, whatever stands around it', () => {
  fc.assert(
    fc.property(fc.array(anyItem), fc.constantFrom([], ['serve'], ['--port', '80', '-h']), (items, around) => {
      const parsed = parseArgv([...around, ...renderArgs(items)], own);
      assert.deepEqual(parsed, { options: items, rest: around, problems: [] });
    }),
  );
});
