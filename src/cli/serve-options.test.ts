import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { renderArgs } from '../api/llama-options.ts';
import { parseArgv } from '../api/parse-argv.ts';
import { DEFAULT_EDGE_LIMITS } from '../edge/limits.ts';
import { OWN_OPTIONS, withServeOptions, type ServeFlags } from './serve-options.ts';
import { DEFAULT_SURFACE_FLAGS } from './surface-options.ts';

/** What the flags come to, or commander's message. */
function parsed(...argv: readonly string[]): ServeFlags | string {
  let message = '';
  const command = withServeOptions(new Command('serve'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (message += text) });
  try {
    return command.parse(argv, { from: 'user' }).opts<ServeFlags>();
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

function flags(...argv: readonly string[]): ServeFlags {
  const result = parsed(...argv);
  if (typeof result === 'string') assert.fail(result);
  return result;
}

describe('the flags of serve', () => {
  it('default to those of llama-server’s router', () => {
    assert.deepEqual(
      { ...flags() },
      {
        filename: [],
        modelsAutoload: true,
        idleTimeout: 0,
        shutdownDelay: 0,
        host: '127.0.0.1',
        port: 8080,
        logLevel: 'info',
        apiKey: [],
        apiKeyFile: [],
        ...DEFAULT_EDGE_LIMITS,
        ...DEFAULT_SURFACE_FLAGS,
      },
    );
  });
  it('are read', () => {
    assert.equal(flags('--models-dir', 'd').modelsDir, 'd');
    assert.equal(flags('--check').check, true);
    assert.equal(flags('--models-preset=p.ini').modelsPreset, 'p.ini');
    assert.deepEqual(flags('-f', 'a.yaml', '--filename', 'b.yaml').filename, ['a.yaml', 'b.yaml']);
    assert.equal(flags('--models-max', '0').modelsMax, 0);
    assert.equal(flags('--no-models-autoload').modelsAutoload, false);
    assert.equal(flags('--idle-timeout', '1h30m').idleTimeout, 5_400_000);
    assert.equal(flags('--idle-timeout', '90').idleTimeout, 90_000);
    assert.equal(flags('--port', '0').port, 0);
    assert.equal(flags('--admin-port', '0').adminPort, 0);
    assert.equal(flags('--admin-host', '::1').adminHost, '::1');
    assert.equal(flags('--keys-file', 'keys.yaml').keysFile, 'keys.yaml');
    assert.deepEqual(flags('--api-key-file', 'a', '--api-key-file=b').apiKeyFile, ['a', 'b']);
  });
  it('take keys as they are, and those of the variable where there are none', (t) => {
    assert.deepEqual(flags('--api-key', 'a,b', '--api-key=-c', '--api-key', '').apiKey, ['a,b', '-c', '']);
    process.env['LLAMA_API_KEY'] = 'of the variable';
    t.after(() => delete process.env['LLAMA_API_KEY']);
    assert.deepEqual(flags().apiKey, ['of the variable']);
    assert.deepEqual(flags('--api-key', 'a').apiKey, ['a']);
  });
  it('split a command line so that keys are for Corral, and never for a llama-server', () => {
    const tokens = ['--api-key', 'a', '-ngl', '99', '--api-key-file=f', '--keys-file', 'k'];
    const { options, rest, problems } = parseArgv(tokens, OWN_OPTIONS);
    assert.deepEqual(problems, []);
    assert.deepEqual(renderArgs(options), ['--n-gpu-layers', '99']);
    assert.deepEqual(rest, ['--api-key', 'a', '--api-key-file=f', '--keys-file', 'k']);
  });
  for (const [flag, ...values] of [
    ['--models-max', '-1', '1.5', 'many', '', '10001'],
    ['--port', '-1', '65536', 'http', ''],
    ['--admin-port', '-1', '65536', 'http', ''],
    ['--admin-host', ''],
    ['--idle-timeout', 'soon', '-5s', '', '15x'],
    ['--shutdown-delay', 'soon', '-5s', ''],
    ['--log-level', 'loud', ''],
    ['--models-dir', ''],
    ['--models-preset', ''],
    ['--filename', ''],
    ['--host', ''],
    ['--keys-file', ''],
    ['--api-key-file', ''],
    ['--llama-server', ''],
  ] as const) {
    for (const value of values) {
      it(`refuse ${flag}=${value}, and name the flag`, () => {
        const result = parsed(`${flag}=${value}`);
        assert.ok(typeof result === 'string', 'it is refused');
        assert.match(result, new RegExp(flag, 'u'));
      });
    }
  }
  it('are all left to commander by the splitting of the command line', () => {
    const names = new Set(OWN_OPTIONS.flatMap((option) => option.names));
    for (const { short, long } of withServeOptions(new Command()).options) {
      for (const name of [short, long]) if (name !== undefined) assert.ok(names.has(name), name);
    }
  });
});
