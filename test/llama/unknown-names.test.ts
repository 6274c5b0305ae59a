import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorOf } from '../../src/testing/http-kit.ts';
import { chat, get, post } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { listModels, namesOf } from '../support/look.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const UNKNOWN = [
  'nobody',
  '__proto__',
  'constructor',
  'toString',
  'a/b:c',
  'Known',
  'KNOWN',
  'known ',
  ' known',
  'known\n',
];

const INVALID = {
  'an empty name': '{"model":"","messages":[]}',
  null: '{"model":null,"messages":[]}',
  'a number': '{"model":1,"messages":[]}',
  'a list': '{"model":["known"],"messages":[]}',
  'no model': '{"messages":[]}',
  'a duplicate model': '{"model":"known","messages":[],"model":"known"}',
  'a duplicate model in escapes': '{"model":"known","messages":[],"mod\\u0065l":"other"}',
  'bad JSON': '{"model":"known","messages":[}',
  'text after the JSON': '{"model":"known","messages":[]} more',
  'no object': '["known"]',
  'no body': '',
};

describe('names that nobody declares', suite, () => {
  it('are answered 404 or 400, start nothing and enter nothing', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['known']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    for (const name of UNKNOWN) {
      await assert.rejects(chat(corral, name), { status: 404, code: 'model_not_found' }, JSON.stringify(name));
      const slots = await get(corral, `/slots?model=${encodeURIComponent(name)}`);
      assert.equal(slots.status, 404, JSON.stringify(name));
      assert.equal((await post(corral, '/models/load', { model: name })).status, 404, JSON.stringify(name));
    }
    for (const [what, body] of Object.entries(INVALID)) {
      const got = await post(corral, '/v1/chat/completions', body);
      assert.equal(got.status, 400, `${what}: ${got.text}`);
      assert.equal(errorOf(got).get('code'), 'invalid_model', what);
    }
    assert.deepEqual(namesOf(await listModels(corral)), ['known']);
    assert.deepEqual(corral.starts(), []);
    assert.deepEqual(corral.log.all({ msg: 'replica started' }), []);
  });
});
