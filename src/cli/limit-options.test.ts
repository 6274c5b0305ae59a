import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { DEFAULT_EDGE_LIMITS, EDGE_LIMITS, LIMIT_NAMES, type EdgeLimits } from '../edge/limits.ts';
import { withEdgeOptions } from './edge-options.ts';
import { limitFlag, limitsOf, limitsProblem } from './limit-options.ts';
import type { ProxyFlags } from './proxy-options.ts';
import { withServeOptions } from './serve-options.ts';

/** The limits of a command line of `corral serve` or `corral edge`, or commander's message. */
function parsed(command: Command, ...argv: readonly string[]): EdgeLimits | string {
  let message = '';
  command.exitOverride().configureOutput({ writeErr: (text) => (message += text) });
  try {
    return limitsOf(command.parse(argv, { from: 'user' }).opts<EdgeLimits>());
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

const serve = (...argv: readonly string[]): EdgeLimits | string => parsed(withServeOptions(new Command()), ...argv);

const proxies = (value: string): ProxyFlags => {
  const command = withEdgeOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(['--trusted-proxies', value], { from: 'user' }).opts<ProxyFlags>();
};

describe('--trusted-proxies', () => {
  it('reads addresses and networks', () => {
    const { trustedProxies } = proxies('10.0.0.0/8, ::1');
    assert.deepEqual(
      ['10.1.2.3', '::1', '11.0.0.1'].map((address) => trustedProxies?.(address)),
      [true, true, false],
    );
  });
  for (const [value, wrong] of [
    ['', '""'],
    ['localhost', '"localhost"'],
    ['10.0.0.0/8,', '""'],
    ['10.0.0.0/8,10.0.0.0/99', '"10.0.0.0/99"'],
  ] as const) {
    it(`refuses ${JSON.stringify(value)}, and names the flag, the entry and the form`, () => {
      assert.throws(
        () => proxies(value),
        (error: Error) =>
          ['--trusted-proxies', `${wrong} is neither`, '10.0.0.0/8'].every((part) => error.message.includes(part)),
      );
    });
  }
});

describe('the flags of the limits', () => {
  it('are those of corral edge and of corral serve, and both have the same defaults', () => {
    assert.deepEqual(serve(), DEFAULT_EDGE_LIMITS);
    assert.deepEqual(parsed(withEdgeOptions(new Command())), DEFAULT_EDGE_LIMITS);
  });

  it('have defaults that they read back', () => {
    for (const { long, defaultValueDescription } of withServeOptions(new Command()).options) {
      if (!LIMIT_NAMES.some((name) => limitFlag(name) === long)) continue;
      assert.deepEqual(serve(`${long}=${String(defaultValueDescription)}`), DEFAULT_EDGE_LIMITS, String(long));
    }
  });

  for (const [flag, written, name, value] of [
    ['--max-body-bytes', '1000', 'maxBodyBytes', 1000],
    ['--max-body-bytes', '1Ki', 'maxBodyBytes', 1024],
    ['--max-multipart-bytes', '1.5M', 'maxMultipartBytes', 1_500_000],
    ['--request-timeout', '1h30m', 'requestTimeout', 5_400_000],
    ['--first-byte-timeout', '0', 'firstByteTimeout', 0],
    ['--chunk-timeout', '90', 'chunkTimeout', 90_000],
    ['--max-waiting', '0', 'maxWaiting', 0],
    ['--max-connections', '7', 'maxConnections', 7],
  ] as const) {
    it(`read ${flag}=${written}`, () => {
      assert.deepEqual(serve(`${flag}=${written}`), { ...DEFAULT_EDGE_LIMITS, [name]: value });
    });
  }

  const wrong = {
    bytes: ['', '0', '-1', '0.5', '1Qi', 'many', '2Ti', '1 Mi'],
    'bytes a second': ['', '0', 'fast'],
    time: ['', '-1s', 'soon', '5x', '481h'],
    count: ['', '-1', '1.5', 'many', '1000001'],
  };
  const form = {
    bytes: /number of bytes/u,
    'bytes a second': /number of bytes/u,
    time: /must be (?:a time up to 480h|longer)/u,
    count: /whole number/u,
  };
  for (const name of LIMIT_NAMES) {
    const { unit, lowest } = EDGE_LIMITS[name];
    for (const value of [...wrong[unit], ...(lowest === 1 ? ['0'] : [])]) {
      it(`refuse ${limitFlag(name)}=${value}, and name the flag, the value and the form`, () => {
        const result = serve(`${limitFlag(name)}=${value}`);
        assert.ok(typeof result === 'string', 'it is refused');
        assert.ok(result.includes(`'${limitFlag(name)} <`) && result.includes(`'${value}'`), result);
        assert.match(result, form[unit]);
      });
    }
  }

  it('are refused together where the largest body could never be taken', () => {
    assert.equal(limitsProblem(DEFAULT_EDGE_LIMITS), undefined);
    const few = { ...DEFAULT_EDGE_LIMITS, maxHeldBytes: 1000, maxMultipartBytes: 1000 };
    assert.match(String(limitsProblem(few)), /--max-held-bytes is smaller than --max-body-bytes/u);
    assert.equal(limitsProblem({ ...few, maxBodyBytes: 1000 }), undefined);
  });
});
