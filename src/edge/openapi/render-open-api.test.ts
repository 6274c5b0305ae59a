import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Compile } from 'typebox/schema';
import { startEdge } from '../../testing/edge-testbed.ts';
import { answer, ask, startStub, type AskOptions } from '../../testing/http-kit.ts';
import { milliseconds } from '../../domain/units.ts';
import { CLOSED_NAMES, ENDPOINTS, pathText } from '../endpoints.ts';
import { ERROR_CODES } from '../error-codes.ts';
import { renderOpenApi } from './render-open-api.ts';

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Answer>> };
}

const parsed = (text: string): Document => JSON.parse(text) as Document;

const all = parsed(renderOpenApi({ version: '1.2.3', opened: CLOSED_NAMES }));

const operationsOf = ({ paths }: Document): string[] =>
  Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));

/** What a validator that knows OpenAPI 3.1 finds wrong. */
async function wrongIn(document: object): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
  return valid ? undefined : (errors ?? 'something');
}

test('the document is one of OpenAPI 3.1, with all endpoints and with those only that are always open', async () => {
  assert.equal(all.openapi, '3.1.0');
  assert.equal(await wrongIn(all), undefined);
  assert.equal(await wrongIn(parsed(renderOpenApi({ version: '1', opened: [] }))), undefined);
});

test('a document with a fault does not pass as one', async () => {
  assert.notEqual(await wrongIn({ ...all, paths: { nowhere: {} } }), undefined);
  assert.notEqual(await wrongIn({ ...all, info: {} }), undefined);
});

test('it has each endpoint, and no other', () => {
  const expected = ENDPOINTS.flatMap(({ method, paths }) => paths.map((path) => `${method} ${pathText(path)}`));
  assert.deepEqual(operationsOf(all).sort(), expected.sort());
});

test('it has of what is closed only what is opened', () => {
  const closed = operationsOf(parsed(renderOpenApi({ version: '1', opened: [] })));
  assert.ok(!closed.some((operation) => /props|lora|metrics|slots\//u.test(operation)));
  const opened = operationsOf(parsed(renderOpenApi({ version: '1', opened: ['props'] })));
  assert.deepEqual(opened.filter((operation) => !closed.includes(operation)).sort(), ['GET /props', 'POST /props']);
});

test('each operation has a name of its own', () => {
  const ids = Object.values(all.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^(?:get|post)[A-Za-z0-9]+$/u);
});

test('what it refers to is there', () => {
  const text = JSON.stringify(all);
  const refs = [...text.matchAll(/"\$ref":"#\/([^"]+)"/gu)].map(([, path = '']) => path.split('/'));
  assert.ok(refs.length > 100);
  for (const path of refs) {
    const found = path.reduce<unknown>((at, name) => (Object(at) as Record<string, unknown>)[name], all);
    assert.ok(found !== undefined, path.join('/'));
  }
});

test('each error code that has a place is told at some operation, and each that has none at none', () => {
  const text = JSON.stringify(all.components.responses);
  const told = new Set([...text.matchAll(/`([a-z_]+)`/gu)].map(([, code = '']) => code));
  for (const { code, statuses, scenes } of ERROR_CODES) {
    const isTold = statuses.length > 0 && !scenes.some((scene) => scene === 'nowhere');
    assert.equal(told.has(code), isTold, code);
  }
});

/** What the document says of an answer's body. */
function schemaOf(target: string, method: string, status: number): object {
  const path = target.replace(/\?.*$/u, '').replace(/^(\/v1\/models\/).+$/u, '$1{model}');
  const answered = all.paths[path]?.[method.toLowerCase()]?.responses[String(status)];
  const shared = answered?.$ref?.replace(/^.*\//u, '');
  const schema = (shared === undefined ? answered : all.components.responses[shared])?.content?.['application/json']
    ?.schema;
  assert.ok(schema !== undefined, `${method} ${path}: ${status} is not in the document`);
  return schema;
}

const WAITING = { kind: 'waiting', reason: 'WaitingForCapacity', because: 'room', position: 1 } as const;

/** Fails unless the answer is what the document says of the operation. */
async function assertConforms(t: TestContext, status: number, path: string, options: AskOptions): Promise<void> {
  const bed = await startEdge(t, {
    surface: { opened: CLOSED_NAMES },
    planOf: () => ({ model: 'a', pool: 'p', outcome: 'ready', message: 'it is ready' }),
  });
  const stub = await startStub(t, 'r1', (_request, socket) => socket.write(answer('{}')));
  const failure = { reason: 'it broke', logTail: [], exitCode: 3, failures: 1, retryAt: 0 as never };
  bed.publish(
    { model: 'a', aliases: ['b'], replicas: [stub.replica] },
    { model: 'failed', phase: { kind: 'failed', ...failure } },
    { model: 'paused', refusal: { kind: 'pool-paused', pool: 'p' } },
    { model: 'waits', phase: WAITING, lastLoad: milliseconds(5) },
    { model: 'leaves', phase: { kind: 'stopping', cause: { kind: 'idle' } }, holds: ['default'] },
  );
  const got = await ask(bed, { path, ...options });
  assert.equal(got.status, status, got.text);
  const schema = schemaOf(path, options.method ?? 'POST', status);
  const errors = Compile({ ...schema, components: all.components }).Errors(JSON.parse(got.text));
  assert.deepEqual(errors, [true, []], got.text);
}

for (const [status, path, options] of [
  [200, '/health', { method: 'GET' }],
  [200, '/v1/models', { method: 'GET' }],
  [200, '/models', { method: 'GET' }],
  [200, '/v1/models/b', { method: 'GET' }],
  [404, '/v1/models/c', { method: 'GET' }],
  [400, '/v1/models/%', { method: 'GET' }],
  [200, '/models/plan?model=a', { method: 'GET' }],
  [400, '/models/plan', { method: 'GET' }],
  [200, '/models/load', { body: '{"model":"a"}' }],
  [404, '/models/unload', { body: '{"model":"c"}' }],
  [200, '/models/load?wait=true', { body: '{"model":"a"}' }],
  [400, '/models/load?wait=maybe', { body: '{"model":"a"}' }],
  [503, '/models/load?wait=true', { body: '{"model":"paused"}' }],
  [200, '/models/unload?wait=true', { body: '{"model":"a"}' }],
  [200, '/v1/chat/completions', { body: '{"model":"a"}' }],
  [400, '/v1/chat/completions', { body: '{}' }],
  [404, '/v1/embeddings', { body: '{"model":"c"}' }],
  [415, '/v1/messages', { body: '{}', headers: { 'content-encoding': 'gzip' } }],
  [503, '/v1/messages', { body: '{"model":"paused"}' }],
  [400, '/slots?model=failed', { method: 'GET' }],
  [200, '/props?model=a', { method: 'GET' }],
] as const) {
  test(`an answer ${status} of ${path} is as the document says`, async (t) => {
    await assertConforms(t, status, path, options);
  });
}
