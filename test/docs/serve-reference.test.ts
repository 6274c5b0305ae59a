import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { readMember } from '../../src/api/field-path.ts';
import { LLAMA_VERSION } from '../../src/api/llama-options.generated.ts';
import { KeySchema } from '../../src/api/key-schema.ts';
import { REFUSED_BY_SERVE, WITHOUT_EFFECT_IN_SERVE } from '../../src/api/serve-limits.ts';
import { withKeyOptions } from '../../src/cli/key-options.ts';
import { LIMIT_OPTIONS } from '../../src/cli/limit-options.ts';
import { withPlanOptions } from '../../src/cli/plan-options.ts';
import { withServeOptions } from '../../src/cli/serve-options.ts';
import { accessLog } from '../../src/edge/access-log.ts';
import { CLOSED_NAMES, ENDPOINTS, pathText, type Endpoint } from '../../src/edge/endpoints.ts';
import { ERROR_CODES } from '../../src/edge/error-codes.ts';
import { createFindEndpoint } from '../../src/edge/find-endpoint.ts';
import { anEndedRequest } from '../../src/testing/ended-requests.ts';
import { ADDED, DROPPED, DROPPED_PREFIXES, FROM_PROXIES, PASSED_ON } from '../../src/edge/headers.ts';
import { NOT_TO_BE_REPEATED } from '../../src/edge/refusal.ts';
import { codeIn, partOf, readText, rowsOf, sectionOf } from './support/markdown.ts';
import { flagRowsOf, foundIn, isMessage, loggedIn, rowOfOption, sorted } from './support/reference.ts';

const document = readText('docs/serve.md');

/** Programs of a cluster: their logs are told of elsewhere. */
const ELSEWHERE =
  /^src\/(?:operator|cluster-edge|kube|backend\/kubernetes|main-operator|main-edge|cli\/plan-endpoint)/u;

describe('docs/serve.md', () => {
  it('has each flag of corral serve, with its default and its variable, and no other', () => {
    const command = withServeOptions(new Command('serve'));
    const options = [...command.options, command.createOption('-h, --help')];
    const others = options.filter((option) => !LIMIT_OPTIONS.includes(option));
    assert.deepEqual(flagRowsOf(document), others.map(rowOfOption));
  });

  it('has each limit of the edge, with its flag and its default, and no other', () => {
    const [, limits = ''] = sectionOf(document, 'HTTP').split('### Limits');
    const rows = rowsOf(limits).filter(([names = '']) => names.startsWith('`--'));
    assert.deepEqual(
      rows.map(([names = '', initial]) => [sorted(codeIn(names)), initial]),
      LIMIT_OPTIONS.map(rowOfOption).map((row) => [row.names, row.initial]),
    );
  });

  it('has each flag of corral key, and each field of a keys file, with what holds where it is missing', () => {
    const rows = rowsOf(sectionOf(document, 'Keys'));
    const command = withKeyOptions(new Command('key'));
    assert.deepEqual(
      rows.filter(([names = '']) => names.startsWith('`-')).map(([names = '', initial]) => [codeIn(names), initial]),
      [...command.options, command.createOption('-h, --help')]
        .map(rowOfOption)
        .map(({ names, initial }) => [new Set(names), initial]),
    );
    const fields = rows.filter(([name = '']) => /^`[a-z]\w*`$/u.test(name));
    assert.deepEqual(
      fields.map(([name = '', initial]) => [name.replaceAll('`', ''), initial]),
      Object.entries(KeySchema.properties).map(([name, schema]) => {
        const otherwise = readMember(schema, 'otherwise');
        return [name, otherwise === undefined ? 'required' : otherwise];
      }),
    );
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

  it('has each endpoint that is open, with all that the edge knows of it, and no other', () => {
    const rows = rowsOf(partOf(sectionOf(document, 'HTTP'), 'Endpoints')).filter((row) => row.length === 6);
    const open = ENDPOINTS.filter(({ closed }) => closed === undefined);
    assert.deepEqual(rows, open.map(rowOfEndpoint));
  });

  it('has each endpoint that is closed, with the name that opens it, and no other', () => {
    const rows = rowsOf(partOf(sectionOf(document, 'HTTP'), 'Closed endpoints'));
    const shut = ENDPOINTS.filter(({ closed }) => closed !== undefined);
    const expected = shut.map((endpoint) => [pathsOf(endpoint), `\`${String(endpoint.closed)}\``, endpoint.summary]);
    assert.deepEqual(rows, expected);
  });

  it('names in each document what can be opened', () => {
    for (const page of ['docs/serve.md', 'docs/edge.md']) {
      const row = readText(page)
        .split('\n')
        .find((line) => line.startsWith('| `--open-endpoint'));
      for (const name of CLOSED_NAMES) assert.equal(row?.includes(`\`${name}\``), true, `${page}: ${name}`);
    }
  });

  it('tells of no endpoint that the edge does not answer', () => {
    const find = createFindEndpoint([]);
    const told = [...codeIn(partOf(sectionOf(document, 'HTTP'), 'What they answer'))].flatMap((code) => {
      const [, method, path = ''] = /^(GET|POST) (\/[^?]*)/u.exec(code) ?? [];
      return method === undefined ? [] : [[method, path] as const];
    });
    assert.ok(told.length >= 8);
    for (const [method, path] of told) assert.equal(find(method, path).kind, 'found', `${method} ${path}`);
  });

  it('has each error code of the edge, and no other', () => {
    const rows = rowsOf(partOf(sectionOf(document, 'HTTP'), 'Errors'));
    const told = rows.map(([code = '', statuses = '']) => `${code.replaceAll('`', '')} ${statuses}`);
    const known = ERROR_CODES.map(
      ({ code, statuses }) => `${code} ${statuses.length === 0 ? 'in an event only' : statuses.join(', ')}`,
    );
    assert.deepEqual(told.toSorted(), known.toSorted());
  });

  it('knows no error code that nothing answers', () => {
    const answered = foundIn('src/edge', /\bcode: '([a-z_]+)'/gu, /error-codes\.ts$/u);
    assert.deepEqual(sorted(answered), sorted(ERROR_CODES.map(({ code }) => code)));
  });

  it('says which errors are not to be asked for again', () => {
    const rows = rowsOf(partOf(sectionOf(document, 'HTTP'), 'Errors'));
    const marked = rows.filter(([, , , , retry]) => retry === '`false`').map(([code = '']) => code.replaceAll('`', ''));
    assert.deepEqual(sorted(marked), sorted(NOT_TO_BE_REPEATED));
  });

  it('has each header that is passed on, and each that is not passed back, and no other', () => {
    const code = rowsOf(partOf(sectionOf(document, 'HTTP'), 'Headers')).map(([names = '']) => [...codeIn(names)]);
    const sent = code.slice(0, 4).flat();
    const held = code.slice(4).flat();
    assert.deepEqual(sorted(sent), sorted([...PASSED_ON, ...FROM_PROXIES, ...ADDED]));
    assert.deepEqual(sorted(held), sorted([...DROPPED, ...DROPPED_PREFIXES.map((prefix) => `${prefix}*`)]));
  });

  it('has each message of the log', () => {
    const documented = [...codeIn(sectionOf(document, 'Logs'))];
    const messages = loggedIn('src', ELSEWHERE);
    assert.ok(messages.length > 10);
    const missing = messages.filter((message) => !documented.some((code) => isMessage(code, message)));
    assert.deepEqual(missing, []);
  });

  it('has each field of the access log, and no other', () => {
    const [, table = ''] = sectionOf(document, 'Logs').split('### The access log');
    const documented = rowsOf(table).flatMap(([names = '']) => [...codeIn(names)]);
    const fields: string[] = [];
    const keep = (_message: string, given: object = {}): void => void fields.push(...Object.keys(given));
    accessLog({ error: keep, warn: keep, info: keep, debug: keep }).ended(anEndedRequest());
    assert.deepEqual(sorted(documented), sorted(fields));
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

  it('names the llama-server whose options are known', () => {
    const part = partOf(sectionOf(document, 'Which llama-server'), 'Options of another version');
    assert.ok(part.includes(`llama-server ${LLAMA_VERSION},`));
  });

  it('has each field of the manifests that is refused, or has no effect here', () => {
    const section = sectionOf(document, 'Manifests');
    const shorten = (field: string): string => field.replace(/^spec\.(?:presets\[\]\.|defaults\.)?/u, '');
    const named = new Set([...codeIn(section)].map(shorten));
    const fields = [...REFUSED_BY_SERVE.keys(), ...WITHOUT_EFFECT_IN_SERVE.keys()].map(shorten);
    const missing = fields.filter((field) => !named.has(field));
    assert.deepEqual(missing, []);
  });
});

const pathsOf = ({ method, paths }: Endpoint): string =>
  paths.map((path) => `\`${method} ${pathText(path)}\``).join(', ');

function rowOfEndpoint(endpoint: Endpoint): string[] {
  const { api, operation, model, canStream, summary } = endpoint;
  return [pathsOf(endpoint), api, operation, model, canStream ? 'yes' : '', summary];
}
