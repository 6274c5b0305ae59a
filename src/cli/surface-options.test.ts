import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { CLOSED_NAMES } from '../edge/endpoints.ts';
import { DEFAULT_SURFACE, type Surface } from '../edge/surface.ts';
import { withEdgeOptions } from './edge-options.ts';
import { withServeOptions } from './serve-options.ts';
import { surfaceOf, type SurfaceFlags } from './surface-options.ts';

/** What a command line of `corral serve` or `corral edge` opens, or commander's message. */
function parsed(command: Command, ...argv: readonly string[]): Surface | string {
  let message = '';
  command.exitOverride().configureOutput({ writeErr: (text) => (message += text) });
  try {
    return surfaceOf(command.parse(argv, { from: 'user' }).opts<SurfaceFlags>());
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    return message;
  }
}

for (const [program, adds] of [
  ['serve', withServeOptions],
  ['edge', withEdgeOptions],
] as const) {
  const told = (...argv: readonly string[]): Surface | string => parsed(adds(new Command(program)), ...argv);
  const cors = (...argv: readonly string[]): Surface => {
    const result = told(...argv);
    return typeof result === 'string' ? assert.fail(result) : result;
  };

  describe(`what ${program} opens`, () => {
    it('is nothing unless told, and to the pages of all origins', () => {
      assert.deepEqual(told(), DEFAULT_SURFACE);
    });

    it('is what is named, once or more often', () => {
      const argv = CLOSED_NAMES.flatMap((name) => ['--open-endpoint', name]);
      assert.deepEqual(cors(...argv).opened, CLOSED_NAMES);
      assert.deepEqual(cors('--open-endpoint=props').opened, ['props']);
    });

    for (const name of ['', 'slots', 'Props', 'tools', 'cors-proxy', 'props,metrics', '/props', '__proto__']) {
      it(`is not ${JSON.stringify(name)}, and the names that there are are told`, () => {
        const message = told(`--open-endpoint=${name}`);
        assert.ok(typeof message === 'string');
        for (const known of ['--open-endpoint', ...CLOSED_NAMES]) assert.ok(message.includes(known), message);
      });
    }

    it('is open to the origins that are named', () => {
      assert.equal(cors('--cors-origins', ' * ').cors.origins, '*');
      assert.deepEqual(cors('--cors-origins', 'https://a.example:8443, localhost').cors.origins, [
        'https://a.example:8443',
        'localhost',
      ]);
      assert.deepEqual(cors('--cors-origins=chrome-extension://abc').cors.origins, ['chrome-extension://abc']);
    });

    for (const [wrong, word] of [
      ['', '""'],
      ['a.example', 'a.example'],
      ['https://a.example/', 'a.example/'],
      ['https://A.example', 'A.example'],
      ['https://u@a.example', 'u@a'],
      ['https://a.example,', '""'],
      ['*,https://a.example', '* stands alone'],
      ['https://*.example', '*.example'],
      ['null', 'null'],
    ] as const) {
      it(`is not open to the origin ${JSON.stringify(wrong)}, and the message names what is wrong`, () => {
        const message = told(`--cors-origins=${wrong}`);
        assert.ok(typeof message === 'string');
        assert.ok(message.includes('--cors-origins') && message.includes(word), message);
      });
    }

    it('takes methods, headers and credentials as they are named', () => {
      const { methods, headers, credentials } = cors(
        ...['--cors-methods=GET,POST', '--cors-headers=authorization, x-api-key', '--no-cors-credentials'],
      ).cors;
      assert.deepEqual([methods, headers, credentials], ['GET, POST', 'authorization, x-api-key', false]);
    });

    for (const flag of ['--cors-methods', '--cors-headers']) {
      for (const wrong of ['', 'a b', 'a,', 'a\r\nset-cookie: x', 'ä', 'a:b']) {
        it(`refuses ${flag}=${JSON.stringify(wrong)}, and names the flag`, () => {
          const message = told(`${flag}=${wrong}`);
          assert.ok(typeof message === 'string');
          assert.ok(message.includes(flag), message);
        });
      }
    }
  });
}
