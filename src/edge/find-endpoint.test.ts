import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSED_NAMES, ENDPOINTS, pathText, type PathPattern } from './endpoints.ts';
import { createFindEndpoint } from './find-endpoint.ts';

/** A path that fits. */
const sample = (path: string | PathPattern): string => (typeof path === 'string' ? path : `${path.prefix}7`);

const ALL = ENDPOINTS.flatMap((endpoint) => endpoint.paths.map((path) => ({ endpoint, path })));

test('every endpoint is found by its method and each of its paths, if it is open', () => {
  const find = createFindEndpoint(CLOSED_NAMES);
  for (const { endpoint, path } of ALL) {
    assert.deepEqual(find(endpoint.method, sample(path)), { kind: 'found', endpoint }, pathText(path));
  }
});

test('a method and a path belong to one endpoint only', () => {
  const texts = ALL.map(({ endpoint, path }) => `${endpoint.method} ${pathText(path)}`);
  assert.equal(new Set(texts).size, texts.length);
});

test('no fixed path is taken by a pattern', () => {
  for (const { path: pattern } of ALL) {
    if (typeof pattern === 'string') continue;
    for (const { path } of ALL) {
      const isTaken: boolean =
        typeof path === 'string' &&
        path.startsWith(pattern.prefix) &&
        pattern.rest.test(path.slice(pattern.prefix.length));
      assert.ok(!isTaken, pathText(path));
    }
  }
});

for (const name of CLOSED_NAMES) {
  test(`${name} is closed, and opens alone`, () => {
    const shut = createFindEndpoint([]);
    const open = createFindEndpoint([name]);
    for (const { endpoint, path } of ALL) {
      if (endpoint.closed === undefined) continue;
      assert.equal(shut(endpoint.method, sample(path)).kind, 'unknown-path', pathText(path));
      const expected = endpoint.closed === name ? 'found' : 'unknown-path';
      assert.equal(open(endpoint.method, sample(path)).kind, expected, pathText(path));
    }
  });
}

test('what is closed by nature needs the right to manage models once it is open', () => {
  for (const { closed, operation } of ENDPOINTS) if (closed !== undefined) assert.equal(operation, 'models:manage');
});

test('a path with two methods allows both', () => {
  const find = createFindEndpoint(['props']);
  assert.deepEqual(find('DELETE', '/props'), { kind: 'wrong-method', allow: 'GET, HEAD, POST, OPTIONS' });
  assert.deepEqual(find('OPTIONS', '/props'), { kind: 'options', allow: 'GET, HEAD, POST, OPTIONS' });
});

test('HEAD finds what GET finds', () => {
  const find = createFindEndpoint([]);
  assert.deepEqual(find('HEAD', '/health'), find('GET', '/health'));
});

for (const path of ['/slots/', '/slots/a', '/slots/1/2', '/slots/-1', '/slots/12345', '/slots/1%20', '/slots/1\n']) {
  test(`${JSON.stringify(path)} is no slot`, () => {
    assert.equal(createFindEndpoint(['slots-save'])('POST', path).kind, 'unknown-path');
  });
}
