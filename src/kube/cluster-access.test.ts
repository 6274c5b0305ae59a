import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findClusterAccess } from './cluster-access.ts';

function serviceAccount(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'corral-access-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  writeFileSync(join(dir, 'token'), 'secret');
  writeFileSync(join(dir, 'ca.crt'), 'pem');
  return dir;
}

test('in a pod the server and the files are what Kubernetes says, with an IPv6 address in brackets', (t) => {
  const serviceAccountDir = serviceAccount(t);
  for (const [host, origin] of [
    ['10.0.0.1', 'https://10.0.0.1:6443'],
    ['fd00::1', 'https://[fd00::1]:6443'],
    ['kubernetes.default', 'https://kubernetes.default:6443'],
  ]) {
    const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' };
    const { server, caFile, tokenFile } = findClusterAccess({ env, serviceAccountDir });
    assert.equal(server.origin, origin);
    assert.equal(caFile, join(serviceAccountDir, 'ca.crt'));
    assert.equal(tokenFile, join(serviceAccountDir, 'token'));
  }
});

test('flags win over the pod, and the credentials of a pod do not go to another server', (t) => {
  const serviceAccountDir = serviceAccount(t);
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const access = findClusterAccess({ env, serviceAccountDir, apiServer: 'http://127.0.0.1:8001' });
  assert.equal(access.server.href, 'http://127.0.0.1:8001/');
  assert.equal(access.tokenFile, undefined);
  assert.equal(access.caFile, undefined);
  const tokenFile = join(serviceAccountDir, 'ca.crt');
  assert.equal(findClusterAccess({ env, serviceAccountDir, tokenFile }).tokenFile, tokenFile);
});

test('without a server the error says what to do', () => {
  for (const env of [
    {},
    { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    { KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '443' },
  ]) {
    assert.throws(() => findClusterAccess({ env }), /kubectl proxy.*--api-server http:\/\/127\.0\.0\.1:8001/);
  }
});

test('a server is refused that is no URL, has credentials in it, or would be spoken to in the clear', () => {
  for (const [apiServer, why] of [
    ['10.0.0.1:6443', /must be a URL/],
    ['ftp://10.0.0.1', /must be a URL/],
    ['https://me:pass@10.0.0.1', /--token-file/],
    ['https://10.0.0.1/?a=b', /no user, password, query/],
    ['http://10.0.0.1:8001', /must begin with https/],
    ['http://127.0.0.1.example.com', /must begin with https/],
    ['http://0.0.0.0:8001', /must begin with https/],
  ] as const) {
    assert.throws(() => findClusterAccess({ env: {}, apiServer }), why, apiServer);
  }
  for (const apiServer of [
    'http://localhost:8001',
    'http://[::1]:8001',
    'http://127.9.9.9',
    'https://example.com/k8s',
  ]) {
    assert.equal(findClusterAccess({ env: {}, apiServer }).server.href, new URL(apiServer).href);
  }
});

test('an error about a server with a password in it does not repeat the password', () => {
  assert.throws(
    () => findClusterAccess({ env: {}, apiServer: 'https://me:hunter2@10.0.0.1' }),
    (error: Error) => !error.message.includes('hunter2'),
  );
});

test('a file that does not exist is named', () => {
  const apiServer = 'https://10.0.0.1';
  assert.throws(() => findClusterAccess({ env: {}, apiServer, tokenFile: '/nowhere/token' }), /\/nowhere\/token/);
  assert.throws(() => findClusterAccess({ env: {}, apiServer, caFile: '/nowhere/ca.crt' }), /\/nowhere\/ca\.crt/);
});
