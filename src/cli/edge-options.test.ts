import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { withEdgeOptions, type EdgeFlags } from './edge-options.ts';

/** What the flags come to, or commander's message. */
function parsed(...argv: readonly string[]): EdgeFlags | string {
  let message = '';
  const command = withEdgeOptions(new Command('edge'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (message += text) });
  try {
    return command.parse(argv, { from: 'user' }).opts<EdgeFlags>();
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

describe('the flags of edge', () => {
  it('default to what a pod needs', () => {
    assert.deepEqual({ ...Object(parsed()) }, { host: '0.0.0.0', port: 8080, probePort: 8081, logLevel: 'info' });
  });
  it('are read', () => {
    const flags = parsed('--api-server', 'http://127.0.0.1:8001', '--api-token-file=t', '--api-ca-file=c', '--port=0');
    assert.deepEqual(
      { ...Object(flags) },
      {
        host: '0.0.0.0',
        port: 0,
        probePort: 8081,
        logLevel: 'info',
        apiServer: 'http://127.0.0.1:8001',
        apiTokenFile: 't',
        apiCaFile: 'c',
      },
    );
  });
  for (const [flag, ...values] of [
    ['--port', '-1', '65536', 'http', ''],
    ['--probe-port', '65536', ''],
    ['--log-level', 'loud'],
    ['--host', ''],
    ['--api-server', ''],
    ['--api-token-file', ''],
    ['--api-ca-file', ''],
  ] as const) {
    for (const value of values) {
      it(`refuse ${flag}=${value}, and name the flag`, () => {
        const result = parsed(`${flag}=${value}`);
        assert.ok(typeof result === 'string', 'it is refused');
        assert.match(result, new RegExp(flag, 'u'));
      });
    }
  }
});
