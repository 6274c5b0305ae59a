import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NAME_BYTES, readJsonModel, type JsonModel } from './json-model.ts';
import { hostileBody, judgeBody, randomFrom } from '../testing/hostile-bodies.ts';
import { testSeed } from '../testing/seed.ts';
import { MAX_DEPTH } from './json-scan.ts';

/** What is found in a text, without the place where it ends. */
function read(text: string): Omit<JsonModel & { ok: true }, 'closedAt'> | (JsonModel & { ok: false }) {
  const found = readJsonModel(Buffer.from(text));
  return found.ok ? { ok: true, model: found.model, stream: found.stream } : found;
}
const reasonOf = (body: string | Buffer): string => {
  const found = readJsonModel(Buffer.from(body));
  return found.ok ? `found ${found.model}` : found.reason;
};

const good: readonly (readonly [string, string])[] = [
  ['{"model":"a"}', 'a'],
  [' \t\r\n{ "model" : "a" } \n', 'a'],
  ['{"messages":[{"model":"inner"}],"model":"outer"}', 'outer'],
  ['{"a":{"model":1},"model":"outer","b":{"model":null}}', 'outer'],
  ['{"\\u006dodel":"a"}', 'a'],
  ['{"model":"\\u0061\\n\\/\\"\\ud83d\\ude00"}', 'a\n/"😀'],
  ['{"model":"ä😀"}', 'ä😀'],
  ['{"n":[0,-0,1.5,-1.5e+10,1E-2,0e0],"t":true,"f":false,"z":null,"model":"a"}', 'a'],
  ['{"model":"__proto__","__proto__":{"model":"b"}}', '__proto__'],
  ['{"Model":"b","model ":"c","models":"d","model":"a"}', 'a'],
];
for (const [body, model] of good) {
  test(`finds ${JSON.stringify(model)} in ${body}`, () => {
    assert.deepEqual(read(body), { ok: true, model, stream: false });
  });
}

const streams: readonly (readonly [string, boolean])[] = [
  ['{"model":"a","stream":true}', true],
  ['{"stream": true ,"model":"a"}', true],
  ['{"\\u0073tream":true,"model":"a"}', true],
  ['{"model":"a","stream":false}', false],
  ['{"model":"a","stream":true,"stream":false}', false],
  ['{"model":"a","stream":"true"}', false],
  ['{"model":"a","stream":1}', false],
  ['{"model":"a","x":{"stream":true}}', false],
  ['{"model":"a","stream_options":{},"streams":true}', false],
];
for (const [body, stream] of streams) {
  test(`finds that ${body} asks for ${stream ? 'a' : 'no'} stream`, () => {
    assert.deepEqual(read(body), { ok: true, model: 'a', stream });
  });
}

const bad: readonly (readonly [string | Buffer, RegExp])[] = [
  ['', /ends too early/],
  ['   ', /ends too early/],
  ['{"model":"a"', /ends too early/],
  ['{"model":"a', /ends too early/],
  ['{"model":"a\\', /ends too early/],
  ['{"model":tru', /ends too early/],
  ['{"model":"a"}}', /byte 13/],
  ['{"model":"a"} x', /byte 14/],
  ['{"model":"a",}', /byte 13/],
  ["{'model':'a'}", /byte 1/],
  ['{model:"a"}', /byte 1/],
  ['{"model" "a"}', /byte 9/],
  ['{"model":"a" "b":1}', /byte 13/],
  ['{"model":"a","b":[1 2]}', /byte 20/],
  ['{"model":"a","b":[1}]', /byte 19/],
  ['{"model":"a","b":01}', /byte 18/],
  ['{"model":"a","b":+1}', /byte 17/],
  ['{"model":"a","b":1.}', /byte 19/],
  ['{"model":"a","b":.5}', /byte 17/],
  ['{"model":"a","b":1e}', /byte 19/],
  ['{"model":"a","b":-}', /byte 18/],
  ['{"model":"a","b":nul1}', /byte 20/],
  ['{"model":"a","b":NaN}', /byte 17/],
  ['{"model":"a","b":"\\x"}', /byte 19/],
  ['{"model":"a","b":"\\u00g0"}', /byte 22/],
  ['{"model":"a","b":"\n"}', /control character in a string at byte 18/],
  ['{"model":"a"}\u00a0', /byte 13/],
  ['// no\n{"model":"a"}', /byte 0/],
  ['\ufeff{"model":"a"}', /byte order mark/],
  [Buffer.from('{"model":"a"}', 'utf16le'), /not JSON|UTF-8/],
  [Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff]), Buffer.from('"}')]), /not valid UTF-8/],
  [Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]), /not valid UTF-8/],
  ['{}', /no "model"/],
  ['{"messages":[{"model":"inner"}]}', /no "model"/],
  ['[{"model":"a"}]', /not a JSON object/],
  ['"model"', /not a JSON object/],
  ['null', /not a JSON object/],
  ['17', /not a JSON object/],
  ['-', /ends too early/],
  ['{"model":""}', /empty/],
  ['{"model":null}', /not a string/],
  ['{"model":7}', /not a string/],
  ['{"model":true}', /not a string/],
  ['{"model":["a"]}', /not a string/],
  ['{"model":{"a":"b"}}', /not a string/],
  ['{"model":{}}', /not a string/],
  ['{"model":"\\ud800"}', /half of a surrogate pair in a string at byte 10/],
  ['{"model":"\\udc00\\ud800"}', /half of a surrogate pair in a string at byte 10/],
  ['{"model":"a","b":"xy\\uD83D"}', /surrogate pair in a string at byte 20/],
  ['{"model":"a","b":["\\udbff\\\\"]}', /surrogate pair in a string at byte 19/],
  ['{"model":"a","b":"\\ud83d\\ude00\\uDE00"}', /surrogate pair in a string at byte 30/],
  ['{"model":"a","b":"\\ud83d\\u0061"}', /surrogate pair in a string at byte 18/],
  ['{"model":"a","b":{"\\uDFFF":1}}', /surrogate pair in a string at byte 19/],
  ['{"\\ud800":1,"model":"a"}', /surrogate pair in a string at byte 2/],
  ['{"model":"a","b":"\\ud83d\\ude0', /ends too early/],
  ['{"model":"a","b":1e999}', /a number at byte 17 is too large for a double/],
  ['{"model":"a","b":{"c":[0, -1.5E+309 ]}}', /a number at byte 26 is too large/],
  ['{"model":"a","b":1.7976931348623159e308}', /a number at byte 17 is too large/],
  [`{"model":"a","b":1${'0'.repeat(309)}}`, /a number at byte 17 is too large/],
  [`{"model":"a","b":[-${'9'.repeat(200)}e+200]}`, /a number at byte 18 is too large/],
  ['{"model":"a","model":"a"}', /more than once/],
  ['{"model":"a","\\u006dodel":"b"}', /more than once/],
  ['{"\\u006d\\u006f\\u0064\\u0065\\u006c":"a","model":"b"}', /more than once/],
  ['{"model":null,"model":"b"}', /more than once/],
  [`{"model":"${'x'.repeat(MAX_NAME_BYTES)}"}`, /longer than/],
];
for (const [body, reason] of bad) {
  test(`refuses ${String(body).slice(0, 40)} with its reason`, () => {
    assert.match(reasonOf(body), reason);
  });
}

test('numbers up to the largest double, and surrogate pairs, are accepted', () => {
  const numbers = ['1.7976931348623157e308', `-${'9'.repeat(308)}`, '1e-999', `0.${'0'.repeat(400)}1e600`, '0e999'];
  const texts = ['"\\ud83d\\ude00"', '"\\uDBFF\\uDFFF\\uD7FF\\uE000"', '"\\ud800\\udc00x"', '"\\\\ud800"'];
  for (const value of [...numbers, ...texts]) assert.equal(read(`{"model":"a","b":[${value}]}`).ok, true, value);
});

const nested = (depth: number): string => `{"model":"a","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

test('the deepest nesting allowed is accepted, one level more is refused', () => {
  assert.equal(read(nested(MAX_DEPTH)).ok, true);
  assert.match(reasonOf(nested(MAX_DEPTH + 1)), /deeper than 128/);
  assert.match(reasonOf('['.repeat(1_000_000)), /deeper than 128/);
});

test('the brace that closes the object is found, whatever follows it', () => {
  const body = Buffer.from('{"model":"a","b":{"c":[{}]}, "d":"}" }\n ');
  const found = readJsonModel(body);
  assert.equal(found.ok && found.closedAt, body.lastIndexOf('}'));
});

test('every body that is cut anywhere while it arrives is read as the whole one is', () => {
  const body = Buffer.from('{"m\\u006fdel":"ä😀\\u0061","n":[-1.5e+10,true,null],"stream":true,"\\\\":"\\n"}');
  for (let size = 0; size < body.length; size += 1) judgeBody({ body, looks: [size] });
  for (const odd of ['"x\\ud83d\\ude00"', '"\\ud83d\\ud83d"', '{"\\ude00":0}', '-1.5e+308', '1e999', '9'.repeat(310)]) {
    const other = Buffer.from(`{"model":"a","b":[${odd}]}`);
    for (let size = 0; size < other.length; size += 1) judgeBody({ body: other, looks: [size, size + 1] });
  }
});

/** Many more: `npm run prove -- hostile --part readings`. */
const BODIES = 5000;

test('a fuzzed body names the model that a reader which builds the whole value finds, or is refused as by that', () => {
  const random = randomFrom(testSeed());
  for (let made = 0; made < BODIES; made += 1) judgeBody(hostileBody(random));
});
