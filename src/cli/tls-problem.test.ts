import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsProblem } from './tls-problem.ts';

test('an environment in which llama-server would speak TLS is refused, by the name of the variable', () => {
  for (const name of ['LLAMA_ARG_SSL_KEY_FILE', 'LLAMA_ARG_SSL_CERT_FILE'])
    assert.match(String(tlsProblem({ [name]: '/tls/file' })), new RegExp(`^${name} is set, .*proxy`, 'u'));
});

test('any other environment is not', () => {
  assert.equal(tlsProblem({ LLAMA_ARG_SSL_KEY_FILE: '', LLAMA_ARG_HOST: '0.0.0.0', SSL_CERT_FILE: '/ca' }), undefined);
});
