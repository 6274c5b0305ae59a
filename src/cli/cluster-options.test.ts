import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { DEFAULT_EDGE_LIMITS } from '../edge/limits.ts';
import type { ClusterFlags } from './cluster-options.ts';
import { withEdgeOptions } from './edge-options.ts';
import { withOperatorOptions } from './operator-options.ts';
import { DEFAULT_SURFACE_FLAGS } from './surface-options.ts';

type Adds = (command: Command) => Command;

/** What the flags come to, or commander's message. */
function parsed(adds: Adds, ...argv: readonly string[]): ClusterFlags | string {
  let message = '';
  const command = adds(new Command('program'))
    .exitOverride()
    .configureOutput({ writeErr: (text) => (message += text) });
  try {
    return command.parse(argv, { from: 'user' }).opts<ClusterFlags>();
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

const BOTH = { host: '0.0.0.0', adminPort: 8081, logLevel: 'info' };
const API = ['--api-server', 'http://127.0.0.1:8001', '--api-token-file=t', '--api-ca-file=c'];
const READ = { apiServer: 'http://127.0.0.1:8001', apiTokenFile: 't', apiCaFile: 'c' };

const WRONG = [
  ['--admin-port', '-1', '65536', 'http', ''],
  ['--log-level', 'loud'],
  ['--host', ''],
  ['--api-server', ''],
  ['--api-token-file', ''],
  ['--api-ca-file', ''],
] as const;

for (const [program, adds, own, wrong] of [
  [
    'operator',
    withOperatorOptions,
    { leaseNamespace: 'corral-system' },
    [['--lease-namespace', '', 'Corral', '-a', 'a/b', 'a'.repeat(64)]],
  ],
  [
    'edge',
    withEdgeOptions,
    { port: 8080, shutdownDelay: 5000, ...DEFAULT_EDGE_LIMITS, ...DEFAULT_SURFACE_FLAGS },
    [
      ['--port', '-1', '65536', 'http', ''],
      ['--shutdown-delay', 'soon', '-5s', ''],
      ['--admin-host', ''],
    ],
  ],
] as const) {
  describe(`the flags of ${program}`, () => {
    it('default to what a pod needs', () => {
      assert.deepEqual({ ...Object(parsed(adds)) }, { ...BOTH, ...own });
    });
    it('are read', () => {
      const flags = parsed(adds, ...API, '--admin-port=0');
      assert.deepEqual({ ...Object(flags) }, { ...BOTH, ...own, ...READ, adminPort: 0 });
    });
    for (const [flag, ...values] of [...WRONG, ...wrong]) {
      for (const value of values) {
        it(`refuse ${flag}=${value}, and name the flag`, () => {
          const result = parsed(adds, `${flag}=${value}`);
          assert.ok(typeof result === 'string', 'it is refused');
          assert.match(result, new RegExp(flag, 'u'));
        });
      }
    }
  });
}

describe('where the lease of the operators is', () => {
  it('is said by the pod, and by the flag before it', (t) => {
    const before = process.env['POD_NAMESPACE'];
    t.after(() => {
      if (before === undefined) delete process.env['POD_NAMESPACE'];
      else process.env['POD_NAMESPACE'] = before;
    });
    const namespace = (...argv: string[]): unknown => {
      const flags = parsed(withOperatorOptions, ...argv);
      return typeof flags === 'object' && 'leaseNamespace' in flags ? flags.leaseNamespace : flags;
    };
    process.env['POD_NAMESPACE'] = 'models';
    assert.equal(namespace(), 'models');
    assert.equal(namespace('--lease-namespace=other'), 'other');
    process.env['POD_NAMESPACE'] = 'Not/One';
    const refused = namespace();
    assert.ok(typeof refused === 'string');
    assert.match(refused, /POD_NAMESPACE/u);
  });
});
