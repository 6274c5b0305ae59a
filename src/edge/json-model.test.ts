import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_DEPTH, MAX_NAME_BYTES, readJsonModel, type JsonModel } from './json-model.ts';

const read = async (text: string): Promise<JsonModel> => readJsonModel(Buffer.from(text));
const reasonOf = async (body: string | Buffer): Promise<string> => {
  const found = await readJsonModel(Buffer.from(body));
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
  ['{"lone":"\\ud800","model":"a"}', 'a'],
];
for (const [body, model] of good) {
  test(`finds ${JSON.stringify(model)} in ${body}`, async () => {
    assert.deepEqual(await read(body), { ok: true, model, stream: false });
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
  test(`finds that ${body} asks for ${stream ? 'a' : 'no'} stream`, async () => {
    assert.deepEqual(await read(body), { ok: true, model: 'a', stream });
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
  ['{"model":""}', /empty/],
  ['{"model":null}', /not a string/],
  ['{"model":7}', /not a string/],
  ['{"model":true}', /not a string/],
  ['{"model":["a"]}', /not a string/],
  ['{"model":{"a":"b"}}', /not a string/],
  ['{"model":{}}', /not a string/],
  ['{"model":"\\ud800"}', /surrogate/],
  ['{"model":"\\udc00\\ud800"}', /surrogate/],
  ['{"model":"a","model":"a"}', /more than once/],
  ['{"model":"a","\\u006dodel":"b"}', /more than once/],
  ['{"\\u006d\\u006f\\u0064\\u0065\\u006c":"a","model":"b"}', /more than once/],
  ['{"model":null,"model":"b"}', /more than once/],
  [`{"model":"${'x'.repeat(MAX_NAME_BYTES)}"}`, /longer than/],
];
for (const [body, reason] of bad) {
  test(`refuses ${String(body).slice(0, 40)} with its reason`, async () => {
    assert.match(await reasonOf(body), reason);
  });
}

const nested = (depth: number): string => `{"model":"a","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

test('the deepest nesting allowed is accepted, one level more is refused', async () => {
  assert.equal((await read(nested(MAX_DEPTH))).ok, true);
  assert.match(await reasonOf(nested(MAX_DEPTH + 1)), /deeper than 128/);
  assert.match(await reasonOf('['.repeat(1_000_000)), /deeper than 128/);
});

test('a large body lets others have their turn', async () => {
  const reading = read(`{"text":"${'x'.repeat(3 * 1024 * 1024)}","model":"a"}`);
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (turns < 100) setImmediate(count);
  };
  setImmediate(count);
  assert.deepEqual(await reading, { ok: true, model: 'a', stream: false });
  assert.ok(turns >= 3 && turns < 100, `${turns} turns`);
});

/** What JSON.parse says of the same text, in the terms of the scanner. */
function reference(text: string): 'refused' | { model: unknown; stream: boolean } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'refused';
    const own = new Map<string, unknown>(Object.entries(value));
    return { model: own.get('model'), stream: own.get('stream') === true };
  } catch {
    return 'refused';
  }
}

async function agreesWithReference(text: string): Promise<void> {
  const found = await read(text);
  const expected = reference(text);
  if (found.ok) assert.deepEqual(expected, { model: found.model, stream: found.stream });
  else if (expected !== 'refused') assert.match(found.reason, /"model"/);
  else assert.doesNotMatch(found.reason, /"model"/);
}

const keys = fc.oneof(fc.constantFrom('model', 'stream'), fc.string({ unit: 'binary', maxLength: 6 }));
const values = fc.letrec((tie) => ({
  any: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('any'), { maxLength: 4 }),
  object: fc.dictionary(keys, tie('any'), { maxKeys: 5 }),
})).object;

test('what JSON.stringify writes is accepted, with the same model as JSON.parse finds', async () => {
  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom(undefined, 1, '\t'), async (value, space) => {
      await agreesWithReference(JSON.stringify(value, undefined, space));
    }),
    { numRuns: 2000 },
  );
});

test('damaged JSON is refused exactly where JSON.parse refuses it', async () => {
  const damage = fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 2 }),
    put: fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '.',
      'e',
      '-',
      ' ',
      '\n',
      '\u0000',
      'u12',
      'true',
      'é',
    ),
  });
  await fc.assert(
    fc.asyncProperty(values, fc.array(damage, { minLength: 1, maxLength: 3 }), async (value, damages) => {
      let text = JSON.stringify(value);
      for (const { at, cut, put } of damages) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put + text.slice(place + cut);
      }
      if (text.isWellFormed() && !(await reasonOf(text)).includes('more than once')) await agreesWithReference(text);
    }),
    { numRuns: 5000 },
  );
});

test('any text over the alphabet of JSON is judged as JSON.parse judges it', async () => {
  const text = fc.array(
    fc.constantFrom(...'{}[],:"\\-+.eE019 \n'.split(''), 'true', 'null', '"model"', '"a"', '\\u0041'),
    {
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(text, async (parts) => {
      const body = parts.join('');
      if (!(await reasonOf(body)).includes('more than once')) await agreesWithReference(body);
    }),
    { numRuns: 5000 },
  );
});
