import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Command, type Option } from 'commander';
import { KINDS } from '../../src/api/crd/kinds.ts';
import { renderCrd } from '../../src/api/crd/render-crd.ts';
import { REFUSED_BY_SERVE, WITHOUT_EFFECT_IN_SERVE } from '../../src/api/serve-limits.ts';
import { withServeOptions } from '../../src/cli/serve-options.ts';
import { findEndpoint } from '../../src/edge/endpoints.ts';
import { codeIn, readText, root, rowsOf, sectionOf } from './support/markdown.ts';

const document = readText('docs/serve.md');
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Every match of a pattern's first group in the product's code below a folder. */
function foundIn(folder: string, pattern: RegExp): string[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: root }).filter((file) => !/\.test\.ts$|testing/u.test(file));
  return files.flatMap((file) => [...readText(join(file)).matchAll(pattern)].map(([, found = '']) => found));
}

/** A flag's row in the document, as far as the program knows it. */
interface Row {
  readonly names: string[];
  readonly initial: string;
  readonly variable: string;
}

/** A default is none, a value, words for one in other units, or something that only the description tells. */
function initialOf({ long, defaultValue, defaultValueDescription: words, negate, description }: Option): string {
  const told = /\(default: (.+)\)$/u.exec(description)?.[1];
  if (told !== undefined) return `\`${told}\``;
  if (words !== undefined) return words === 'none' ? words : `\`${words}\``;
  if (defaultValue === true && !negate) return 'on';
  if (long === '--help' || negate) return '';
  return defaultValue === undefined ? 'none' : `\`${String(defaultValue)}\``;
}

function rowOfOption(option: Option): Row {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const argument = option.flags.split(' ').filter((word) => word.startsWith('<'));
  const [last = '', ...before] = names.reverse();
  const spelled = [...before, [last, ...argument].join(' ')];
  // LLAMA_SERVER is read where llama-servers are looked for, and not by the command line.
  const variable = option.long === '--llama-server' ? 'LLAMA_SERVER' : option.envVar;
  return {
    names: sorted(spelled),
    initial: initialOf(option),
    variable: variable === undefined ? '' : `\`${variable}\``,
  };
}

describe('docs/serve.md', () => {
  it('has each flag of corral serve, with its default and its variable, and no other', () => {
    const command = withServeOptions(new Command('serve'));
    const options = [...command.options, command.createOption('-h, --help')];
    const rows = rowsOf(sectionOf(document, 'Flags')).map(([names = '', initial = '', variable = '']) => ({
      names: sorted(codeIn(names)),
      initial,
      variable,
    }));
    assert.deepEqual(rows, options.map(rowOfOption));
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
    const messages = foundIn('src', /\blog\.(?:error|warn|info|debug)\(\s*['`]([^'`]+)['`]/gu);
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
    assert.ok(unsupported.length >= 10);
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

/** `…` stands for the rest, and capitals for what varies. */
function isMessage(documented: string, message: string): boolean {
  const literal = message.replace('${file}: ${field}', 'FILE: FIELD');
  return documented.endsWith('…') ? literal.startsWith(documented.slice(0, -1)) : literal === documented;
}
