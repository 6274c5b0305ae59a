import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPresentedKey } from './presented-key.ts';

const ROWS: readonly (readonly [readonly string[], string | undefined])[] = [
  [[], undefined],
  [['Host', 'a', 'Accept', '*/*'], undefined],
  [['Authorization', 'Bearer k'], 'k'],
  [['authorization', 'bearer k'], 'k'],
  [['AUTHORIZATION', 'BEARER   k'], 'k'],
  [['X-Api-Key', 'k'], 'k'],
  [['x-api-key', 'Bearer k'], 'Bearer k'],
  [['Authorization', 'Bearer a b'], 'a b'],
  [['Authorization', 'Bearer k', 'x-api-key', 'k'], 'k'],
  [['Authorization', 'Bearer k', 'Authorization', 'Bearer k'], 'k'],
  // A proxy's own password beside the key.
  [['Authorization', 'Basic dTpw', 'x-api-key', 'k'], 'k'],
  [['x-api-key', '', 'Authorization', 'Bearer k'], 'k'],
  [['Authorization', 'Basic dTpw'], undefined],
  [['Authorization', 'k'], undefined],
  [['Authorization', 'Bearerk'], undefined],
  [['Authorization', 'Bearer\tk'], undefined],
  [['Authorization', 'Bearer'], undefined],
  [['Authorization', ''], undefined],
  [['x-api-key', ''], undefined],
  [['Proxy-Authorization', 'Bearer k'], undefined],
  [['x-api-keys', 'k'], undefined],
  [['Cookie', 'Authorization: Bearer k'], undefined],
];

for (const [headers, key] of ROWS) {
  test(`of ${JSON.stringify(headers)} the key is ${key === undefined ? 'missing' : JSON.stringify(key)}`, () => {
    assert.deepEqual(readPresentedKey(headers), key === undefined ? { kind: 'none' } : { kind: 'one', key });
  });
}

for (const headers of [
  ['Authorization', 'Bearer a', 'x-api-key', 'b'],
  ['Authorization', 'Bearer a', 'Authorization', 'Bearer b'],
  ['x-api-key', 'a', 'x-api-key', 'b'],
]) {
  test(`of ${JSON.stringify(headers)} no key is chosen`, () => {
    assert.deepEqual(readPresentedKey(headers), { kind: 'several' });
  });
}
