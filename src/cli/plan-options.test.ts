import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { withPlanOptions, type PlanFlags } from './plan-options.ts';

/** The model and the flags, or commander's message. */
function parsed(...argv: readonly string[]): [string | undefined, PlanFlags] | string {
  let message = '';
  const command = withPlanOptions(new Command('plan'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (message += text) });
  try {
    command.parse(argv, { from: 'user' });
    return [command.args[0], command.opts<PlanFlags>()];
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

describe('the flags of plan', () => {
  it('default to where corral serve listens', () => {
    assert.deepEqual(parsed('a/b:c'), ['a/b:c', { url: 'http://127.0.0.1:8080' }]);
  });

  it('are read, and a slash at the end of an address is no part of it', () => {
    const flags = { url: 'https://[::1]:8443/corral', json: true };
    assert.deepEqual(parsed('a', '--url', 'https://[::1]:8443/corral/', '--json'), ['a', flags]);
  });

  for (const url of ['', '127.0.0.1:8080', 'ftp://x', 'http://', 'http://u:p@x', 'http://x?a', 'http://x#a', '/x']) {
    it(`refuse --url=${url}, and say what it must be`, () => {
      const result = parsed('a', `--url=${url}`);
      assert.ok(typeof result === 'string', 'it is refused');
      assert.match(result, /--url.*http:\/\/HOST:PORT/u);
    });
  }

  it('take a key, or that of the variable', (t) => {
    const url = 'http://127.0.0.1:8080';
    assert.deepEqual(parsed('a', '--api-key', 'k'), ['a', { url, apiKey: 'k' }]);
    process.env['CORRAL_API_KEY'] = 'v';
    t.after(() => delete process.env['CORRAL_API_KEY']);
    assert.deepEqual(parsed('a'), ['a', { url, apiKey: 'v' }]);
    assert.deepEqual(parsed('a', '--api-key', 'k'), ['a', { url, apiKey: 'k' }]);
  });

  it('need exactly one model', () => {
    for (const argv of [[], [''], ['a', 'b']]) assert.equal(typeof parsed(...argv), 'string', argv.join());
  });
});
