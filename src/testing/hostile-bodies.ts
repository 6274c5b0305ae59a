import assert from 'node:assert/strict';
import { JsonModelReader, MAX_NAME_BYTES, readJsonModel } from '../edge/json-model.ts';
import { MAX_DEPTH } from '../edge/json-scan.ts';

/** One body, and the sizes at which its reader looks at it while it arrives, ascending. */
export interface HostileBody {
  readonly body: Buffer;
  readonly looks: readonly number[];
}

/** A whole number from 0 to below a limit. */
export type Random = (limit: number) => number;

/** Always the same numbers for a seed. They only have to look random (mulberry32, by Tommy Ettinger). */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** JSON and what is nearly JSON, in odd spellings; much of it names a model. A million take minutes. */
export function hostileBody(random: Random): HostileBody {
  const written = Buffer.from(oneIn(20, random) ? value(random, 0) : wholeBody(random));
  const body = oneIn(2, random) ? written : pick(random, damages)(written, random);
  const looks = list(random, 4, () => random(body.length + 1)).sort((a, b) => a - b);
  return { body, looks };
}

const oneIn = (chances: number, random: Random): boolean => random(chances) === 0;

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random(choices.length)];
  assert.ok(choice !== undefined, 'there is something to choose from');
  return choice;
}

/** Fewer than `limit` things. */
const list = <T>(random: Random, limit: number, make: () => T): T[] => Array.from({ length: random(limit) }, make);

const BLANKS = ['', '', '', '', ' ', '\n', '\t\r\n ', ' '.repeat(70)];
const NAMES = [
  'stream',
  'stream',
  'Model',
  'models',
  'mode',
  'odel',
  'model\0',
  '',
  'a',
  '__proto__',
  'constructor',
  'ä😀',
];
const CHARACTERS = Array.from('ab/"\\ \0\n\u001f\u007f\u0080ä߿ࠀ\u2028\uffff😀\u{10ffff}');
const NUMBERS = [
  '0',
  '-0',
  '17',
  '12345678901234567890',
  '1.7976931348623157e+308',
  '-1E-2',
  '0.10e+07',
  '1e-400',
  '0.1e1',
  '-9.25',
  `-${'9'.repeat(308)}.5`,
  `0.${'0'.repeat(320)}1E330`,
];
const WORDS = ['true', 'false', 'null'];
const ODD_TEXTS = [
  '"\\ud800\\uDC00"',
  '"\\uDBFF\\udfff\\uD83D\\uDE00\\ud7ff\\ue000"',
  '"{\\"model\\":\\"x\\"}"',
  `"${'y'.repeat(300)}ä${'z'.repeat(299)}\\n${'y'.repeat(700)}"`,
  `"${'\\n'.repeat(40)}"`,
];
/** What no JSON text holds where a value stands, or what no parser can make a double or Unicode of. */
const NO_VALUES = [
  ...['1e400', '-1E+999', '1.7976931348623159e308', `1${'0'.repeat(309)}`, `-${'9'.repeat(400)}.25`],
  ...['"\\ud800"', '"\\uDFFF"', '"\\udc00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\uD83Dx"', '"\\ud83d\\n"'],
  ...['"\\ud83d\\u0061"', '"\\ud83d\\udbff"', '"\\ud83d\\ude0"', '{"\\udbff":1}', '"\\ud83d😀"', '"\\ude00😀"'],
  ...['01', '1.', '.5', '1e', '1e+', '-', '+1', '--1', '0x1', '1.e5', '1.5.5', 'NaN', 'Infinity', '1_0', '00', '-01'],
  ...['tru', 'nulll', 'True', 'nul', 'truefalse', "'a'", 'a', '', '//', '/**/1', '1;'],
  ...[
    '"\\v"',
    '"\\x41"',
    '"\\u00g0"',
    '"\\u12"',
    '"\\U0041"',
    '"\u001f"',
    '"\0"',
    '"\n"',
    '"a',
    'a"',
    '"\\"',
    '"\\\\""',
  ],
  ...['[1,]', '[,1]', '[1 2]', '[1;2]', '[1', '1]', '[}', '[1:2]', '[[1]', '[]]'],
  ...[
    '{"a":1,}',
    '{,}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{"a"}',
    '{a:1}',
    '{1:1}',
    '{"a":}',
    '{"a"::1}',
    '{"a":1]',
    '{"a":1}}',
  ],
];

/** A character of a string in one of the ways that JSON has; most often as it is, if it may stand so. */
function spelled(character: string, random: Random): string {
  const way = random(12);
  if (way < 2) return escaped(character, way === 0);
  return way === 2 && character === '/' ? '\\/' : JSON.stringify(character).slice(1, -1);
}

function escaped(character: string, upperCase: boolean): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const digits = units.map((unit) => unit.toString(16).padStart(4, '0'));
  return digits.map((four) => `\\u${upperCase ? four.toUpperCase() : four}`).join('');
}

const quoted = (text: string, random: Random): string =>
  `"${Array.from(text, (one) => spelled(one, random)).join('')}"`;
const text = (random: Random): string => list(random, 9, () => pick(random, CHARACTERS)).join('');
const between = (open: string, close: string, items: readonly string[], space: string): string =>
  `${open}${space}${items.join(`${space},`)}${space}${close}`;

function member(name: string, content: string, random: Random): string {
  const space = pick(random, BLANKS);
  return `${quoted(name, random)}${space}:${space}${content}`;
}

const key = (random: Random): string =>
  oneIn(25, random) ? 'model' : oneIn(6, random) ? text(random) : pick(random, NAMES);

function value(random: Random, level: number): string {
  const kinds = level < 4 ? 9 : 5;
  switch (random(kinds)) {
    case 0:
      return pick(random, NUMBERS);
    case 1:
      return pick(random, WORDS);
    case 2:
      return oneIn(12, random) ? pick(random, NO_VALUES) : pick(random, ODD_TEXTS);
    case 3:
      return oneIn(4, random) ? nested(random) : String((random(2000) - 1000) / 8);
    case 4:
    case 5:
      return quoted(text(random), random);
    case 6:
      return between(
        '[',
        ']',
        list(random, 4, () => value(random, level + 1)),
        pick(random, BLANKS),
      );
    default:
      return object(
        list(random, 4, () => otherMember(random, level)),
        random,
      );
  }
}

const otherMember = (random: Random, level: number): string => member(key(random), value(random, level + 1), random);
const object = (members: readonly string[], random: Random): string => between('{', '}', members, pick(random, BLANKS));

const DEPTHS = [1, 60, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH];
/** Of these depths, and one more for the object that it is in, if it is in that alone. */
function nested(random: Random): string {
  const depth = pick(random, DEPTHS);
  return oneIn(2, random)
    ? `${'['.repeat(depth)}${']'.repeat(depth)}`
    : `${'{"model":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

const LONG_NAMES = [MAX_NAME_BYTES - 2, MAX_NAME_BYTES - 1].map((length) => `"${'x'.repeat(length)}"`);
function modelValue(random: Random): string {
  const way = random(30);
  if (way < 3) return pick(random, [...ODD_TEXTS, '""', '" "', '"\\u0000"', '"\\ud83d\\ude00"']);
  if (way === 3) return oneIn(10, random) ? pick(random, LONG_NAMES) : value(random, 1);
  return quoted(`m${text(random)}`, random);
}

/** An object with one `model` somewhere in it, and now and then with more. */
const wholeBody = (random: Random): string => bodyWith(modelValue(random), random);

function bodyWith(model: string, random: Random): string {
  const others = (): string[] => list(random, 4, () => otherMember(random, 0));
  const space = pick(random, BLANKS);
  return `${space}${object([...others(), member('model', model, random), ...others()], random)}${space}`;
}

/** A body that asks for this model and is let in, in odd spellings. */
export function acceptedBody(model: string, random: Random): HostileBody {
  for (;;) {
    const body = Buffer.from(bodyWith(quoted(model, random), random));
    if (referenceReading(body) === 'refused') continue;
    return { body, looks: list(random, 4, () => random(body.length + 1)).sort((a, b) => a - b) };
  }
}

type Damage = (body: Buffer, random: Random) => Buffer;
const SPLINTERS = Array.from('"\\{}[],:0.e- \n\0u\u001fé\ufeff', (splinter) => Buffer.from(splinter));
const BAD_UTF8 = ['ff', 'c3', 'eda080', 'f8808080', 'c0af', 'f4908080', '80', 'e282'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
const BEFORE = ['\ufeff', '\0', '[', '{}', 'null', '//\n'];
const AFTER = ['\0', '}', ' x', ',', '\u00a0', '{"model":"b"}', '//', '"', '1'];

const damages: readonly Damage[] = [
  (body, random) => body.subarray(0, random(body.length + 1)),
  (body, random) => flipped(body, random(body.length), 1 << random(8)),
  (body, random) => spliced(body, random(body.length + 1), 1 + random(3), Buffer.alloc(0)),
  (body, random) => spliced(body, random(body.length + 1), random(2), pick(random, SPLINTERS)),
  (body, random) => spliced(body, random(body.length + 1), random(2), pick(random, BAD_UTF8)),
  (body, random) => spliced(body, 0, 0, Buffer.from(pick(random, BEFORE))),
  (body, random) => spliced(body, body.length, 0, Buffer.from(pick(random, AFTER))),
];

const spliced = (body: Buffer, at: number, cut: number, put: Buffer): Buffer =>
  Buffer.concat([body.subarray(0, at), put, body.subarray(at + cut)]);
const flipped = (body: Buffer, at: number, bits: number): Buffer =>
  Buffer.from(body.map((byte, index) => (index === at ? byte ^ bits : byte)));

/** What a reader that builds the whole value makes of a body. */
type Reading = { readonly model: string; readonly stream: boolean } | 'refused';

/** Throws an AssertionError if the edge reads another model than the reference does, reads what that refuses, or the reverse. */
export function judgeBody({ body, looks }: HostileBody): void {
  const found = readJsonModel(body);
  const told = `of the body ${JSON.stringify(body.toString('latin1'))}, looked at after ${looks.join(', ')} bytes`;
  assert.deepEqual(inPieces(body, looks), found, `in pieces as in one: ${told}`);
  const read = found.ok ? { model: found.model, stream: found.stream } : 'refused';
  assert.deepEqual(read, referenceReading(body), `as the reference: ${told}`);
  if (found.ok) assert.match(body.toString('latin1', found.closedAt), /^\}[ \t\r\n]*$/, `the last brace: ${told}`);
}

/** As it arrives over a network: in growing buffers, in which what has not arrived yet is anything. */
function inPieces(body: Buffer, looks: readonly number[]): ReturnType<typeof readJsonModel> {
  const reader = new JsonModelReader();
  for (const size of [...looks, body.length]) {
    const arrived = Buffer.alloc(size + 8, '"');
    body.copy(arrived, 0, 0, size);
    reader.read(arrived, size);
  }
  return reader.finish(body.length);
}

function referenceReading(body: Buffer): Reading {
  const parsed = parse(body);
  if (parsed === undefined) return 'refused';
  const { json, members } = parsed;
  const tokens = tokensOf(json);
  const { depth, models } = outline(tokens);
  const model = members.get('model');
  if (!tokens.every(isForEveryParser)) return 'refused';
  if (depth > MAX_DEPTH || models.length !== 1 || typeof model !== 'string') return 'refused';
  const isTooLong = models.some((token) => Buffer.byteLength(token) > MAX_NAME_BYTES);
  if (isTooLong || model === '') return 'refused';
  return { model, stream: members.get('stream') === true };
}

/** The text of a body and the members of its object, of equal ones the last. */
function parse(body: Buffer): { readonly json: string; readonly members: ReadonlyMap<string, unknown> } | undefined {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    return { json, members: new Map(Object.entries(parsed)) };
  } catch {
    return undefined;
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const tokensOf = (json: string): readonly string[] => json.match(TOKENS) ?? [];

/** Of valid JSON; also of members that `JSON.parse` drops, since another comes by the same name. */
function isForEveryParser(token: string): boolean {
  if (token.startsWith('"')) return String(JSON.parse(token)).isWellFormed();
  return !/^[-\d]/.test(token) || Number.isFinite(Number(token));
}

/** How deep valid JSON is nested, and the values of each `model` of its outermost object, as they are written where they are no containers. */
function outline(tokens: readonly string[]): { readonly depth: number; readonly models: readonly string[] } {
  let [level, deepest] = [0, 0];
  const models: string[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') deepest = Math.max(deepest, (level += 1));
    else if (token === '}' || token === ']') level -= 1;
    else if (level === 1 && tokens[index + 1] === ':' && JSON.parse(token) === 'model')
      models.push(String(tokens[index + 2]));
  }
  return { depth: deepest, models };
}
