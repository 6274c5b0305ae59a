import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { withEdgeOptions } from '../../src/cli/edge-options.ts';
import { LIMIT_OPTIONS } from '../../src/cli/limit-options.ts';
import { withOperatorOptions } from '../../src/cli/operator-options.ts';
import { codeIn, readText, sectionOf } from './support/markdown.ts';
import { flagRowsOf, isMessage, loggedIn, rowOfOption, sorted } from './support/reference.ts';

/** A program of a cluster: its page, its flags, and the code that it consists of. */
const PROGRAMS = [
  {
    page: 'docs/operator.md',
    command: withOperatorOptions(new Command('operator')),
    code: [
      'src/operator',
      'src/kube',
      'src/backend/kubernetes',
      'src/control',
      'src/admin',
      'src/main-operator.ts',
      'src/cli/plan-endpoint.ts',
    ],
  },
  {
    page: 'docs/edge.md',
    command: withEdgeOptions(new Command('edge')),
    code: [
      'src/cluster-edge',
      'src/kube/reflector.ts',
      'src/kube/authorities-file.ts',
      'src/edge',
      'src/main-edge.ts',
      'src/cli/key-source.ts',
      'src/admin',
      'src/cli/until-told.ts',
    ],
  },
];

for (const { page, command, code } of PROGRAMS) {
  describe(page, () => {
    const document = readText(page);
    it('has each flag with its default, and no other', () => {
      const all = [...command.options, command.createOption('-h, --help')];
      // The limits have a table of their own, in docs/serve.md.
      const options = all.filter((option) => !LIMIT_OPTIONS.includes(option));
      const names = ({ names, initial }: { names: string[]; initial: string }): unknown => ({ names, initial });
      assert.deepEqual(flagRowsOf(document).map(names), options.map(rowOfOption).map(names));
    });

    it('has each message of the log, and no other', () => {
      const messages = sorted(code.flatMap((path) => loggedIn(path)));
      assert.ok(messages.length > 5);
      const section = sectionOf(document, 'Logs');
      const documented = [...codeIn(section)];
      const missing = messages.filter((message) => !documented.some((one) => isMessage(one, message)));
      assert.deepEqual(missing, []);
      const rows = [...section.matchAll(/^\| `([^`]+)` \| (?:error|warn|info|debug) \|/gmu)].map(([, row = '']) => row);
      const unknown = rows.filter((row) => !messages.some((message) => isMessage(row, message)));
      assert.deepEqual(unknown, []);
    });
  });
}
