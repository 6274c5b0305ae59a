import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { KINDS } from '../../src/api/crd/kinds.ts';
import { renderCrd } from '../../src/api/crd/render-crd.ts';
import { REFUSED_BY_SERVE, WITHOUT_EFFECT_IN_SERVE } from '../../src/api/serve-limits.ts';
import { withPlanOptions } from '../../src/cli/plan-options.ts';
import { withServeOptions } from '../../src/cli/serve-options.ts';
import { findEndpoint } from '../../src/edge/endpoints.ts';
import { codeIn, readText, rowsOf, sectionOf } from './support/markdown.ts';
import { flagRowsOf, foundIn, isMessage, loggedIn, rowOfOption, sorted } from './support/reference.ts';

const document = readText('docs/serve.md');

/** Programs of a cluster: their logs are told of elsewhere. */
const ELSEWHERE =
  /^src\/(?:operator|cluster-edge|kube|backend\/kubernetes|main-operator|main-edge|cli\/plan-endpoint)/u;

describe('docs/serve.md', () => {
  it('has each flag of corral serve, with its default and its variable, and no other', () => {
    const command = withServeOptions(new Command('serve'));
    const options = [...command.options, command.createOption('-h, --help')];
    assert.deepEqual(flagRowsOf(document), options.map(rowOfOption));
  });

  it('has each flag of corral plan, each outcome and each field of its answer, and each reason why a model waits', () => {
    const section = sectionOf(document, 'Why does my model wait?');
    const command = withPlanOptions(new Command('plan'));
    const flags = rowsOf(section).filter(([names = '']) => names.startsWith('`-'));
    assert.deepEqual(
      flags.map(([names = '', initial]) => [sorted(codeIn(names)), initial]),
      [...command.options, command.createOption('-h, --help')].map(rowOfOption).map((row) => [row.names, row.initial]),
    );
    const code = [...codeIn(section)];
    const shape = readText('src/routing/model-plan.ts');
    const fields = [...shape.matchAll(/^ {2}readonly ([a-z_]+)\??:/gmu)].map(([, field = '']) => field);
    const outcomes = [...shape.matchAll(/outcome: (.*);$/gmu)].flatMap(([, words = '']) => words.match(/[a-z]+/gu));
    const reasons = [...readText('src/planner/action.ts').matchAll(/kind: '([A-Z]\w+)'/gu)].map(
      ([, kind = '']) => kind,
    );
    assert.ok(fields.length > 8 && outcomes.length > 5 && reasons.length > 10);
    // It is told by its model's leaving.
    const told = [...fields, ...outcomes, ...reasons].filter((word) => word !== 'WaitingForDrain');
    assert.deepEqual(
      told.filter((word) => !code.includes(String(word))),
      [],
    );
  });

  it('has each endpoint of the edge', () => {
    const paths = foundIn('src/edge', /'(\/[a-z0-9_/-]+)'/gu);
    assert.ok(paths.length > 20);
    const text = sectionOf(document, 'HTTP');
    const missing = paths.filter((path) => !new RegExp(`\`(?:GET |POST )?${path}[\`?]`, 'u').test(text));
    const missingWithBody = missing.filter((path) => !text.includes(`\`POST ${path}\` \``));
    assert.deepEqual(missingWithBody, []);
  });

  it('has no endpoint that the edge does not answer', () => {
    const table = sectionOf(document, 'HTTP');
    const forwarded = [...codeIn(table)].filter((code) => /^\/[a-z0-9_/-]+$/u.test(code) && code !== '/slots');
    assert.ok(forwarded.length >= 20);
    for (const path of forwarded) assert.equal(findEndpoint('POST', path).kind, 'found', path);
    const others = [...codeIn(table)].flatMap((code) => {
      const [, method, path = ''] = /^(GET|POST) (\/[^?]*)/u.exec(code) ?? [];
      return method === undefined ? [] : [[method, path] as const];
    });
    assert.ok(others.length >= 8);
    for (const [method, path] of others) assert.equal(findEndpoint(method, path).kind, 'found', `${method} ${path}`);
  });

  it('has each error code of the edge, and no other', () => {
    const [, errors = ''] = sectionOf(document, 'HTTP').split('### Errors');
    const rows = rowsOf(errors.split('### Limits').slice(0, 1).join(''));
    const documented = rows.map(([code = '']) => code.replaceAll('`', ''));
    assert.deepEqual(sorted(documented), sorted(foundIn('src/edge', /\bcode: '([a-z_]+)'/gu)));
    assert.equal(new Set(documented).size, documented.length);
  });

  it('has each message of the log', () => {
    const documented = [...codeIn(sectionOf(document, 'Logs'))];
    const messages = loggedIn('src', ELSEWHERE);
    assert.ok(messages.length > 10);
    const missing = messages.filter((message) => !documented.some((code) => isMessage(code, message)));
    assert.deepEqual(missing, []);
  });

  it('has each key of a presets file that is no option of llama-server', () => {
    const rows = rowsOf(sectionOf(document, 'Presets file').split('### ').slice(0, 1).join(''));
    const keys = rows.map(([key = '']) => key.replaceAll('`', ''));
    const known = [...readText('src/api/decode-presets.ts').matchAll(/^ {2}\['([a-z-]+)', /gmu)].map(
      ([, key = '']) => key,
    );
    assert.ok(known.length > 5);
    assert.deepEqual(sorted(keys), sorted(known));
  });

  it('has each field of the manifests that is refused, or has no effect here', () => {
    const section = sectionOf(document, 'Manifests');
    const shorten = (field: string): string => field.replace(/^spec\.(?:presets\[\]\.|defaults\.)?/u, '');
    const named = new Set([...codeIn(section)].map(shorten));
    const unsupported = [...unsupportedFields()];
    assert.ok(unsupported.length >= 5);
    const fields = [...REFUSED_BY_SERVE.keys(), ...WITHOUT_EFFECT_IN_SERVE.keys()].map(shorten);
    const missing = [...fields, ...unsupported].filter((field) => !named.has(field));
    assert.deepEqual(missing, []);
  });
});

/** Fields whose rules say that this version does not support them. */
function unsupportedFields(): Set<string> {
  const messages = KINDS.flatMap((kind) => [
    ...renderCrd(kind).matchAll(/message: (\S+) .*is not supported by this/gu),
  ]);
  return new Set(messages.map(([, field = '']) => field));
}
