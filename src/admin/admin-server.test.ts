import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { ask, portOf } from '../testing/http-kit.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { createAdminServer, type AdminSurface } from './admin-server.ts';
import { documentAnswer } from './document-answer.ts';
import { metricsAnswer } from './metrics-answer.ts';

type Get = (path: string, method?: string) => Promise<string>;

async function listening(t: TestContext, surface: Partial<AdminSurface>): Promise<Get> {
  const server = createAdminServer({ whyNotReady: () => undefined, answers: new Map(), ...surface });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return async (path, method = 'GET') => {
    const { status, text } = await ask({ port: portOf(server) }, { method, path });
    return `${status} ${text}`.trim();
  };
}

test('probes are answered by path: alive at all times, ready unless there is a reason', async (t) => {
  let problem: string | undefined = 'not yet';
  const get = await listening(t, { whyNotReady: () => problem });
  assert.equal(await get('/livez'), '200 ok');
  assert.equal(await get('/readyz'), '503 not yet');
  problem = undefined;
  assert.equal(await get('/readyz'), '200 ok');
  assert.equal(await get('/readyz', 'HEAD'), '200');
  assert.equal(await get('/v1/models'), '404 not found');
  assert.equal(await get('/readyz', 'POST'), '405');
});

test('what else there is has its own path, compared byte for byte, and gets its query', async (t) => {
  const get = await listening(t, {
    whyNotReady: () => 'not ready',
    answers: new Map([['/plan', (query, response) => void response.end(`asked ${query}`)]]),
  });
  assert.equal(await get('/plan?model=a?b'), '200 asked ?model=a?b');
  assert.equal(await get('/plan'), '200 asked');
  assert.equal(await get('/plan', 'POST'), '405');
  assert.equal(await get('/plan/'), '404 not found');
  assert.equal(await get('/PLAN'), '404 not found');
  assert.equal(await get('/%70lan'), '404 not found');
  assert.equal(await get('/readyz'), '503 not ready');
});

test('metrics are read at each scrape; one that fails is answered 500 and logged, and the next is tried again', async (t) => {
  const log = keptLog();
  const texts = ['a 1\n', undefined, 'a 2\n'];
  const scraped = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    metrics: async () => {
      const text = texts.shift();
      if (text === undefined) throw new Error('a fault of a collector');
      return Promise.resolve(text);
    },
  };
  const get = await listening(t, { answers: new Map([['/metrics', metricsAnswer(scraped, log)]]) });
  assert.equal(await get('/metrics'), '200 a 1');
  assert.equal(await get('/metrics'), '500 the metrics could not be read');
  assert.equal(await get('/metrics'), '200 a 2');
  assert.deepEqual(log.lines, ['error the metrics could not be read']);
});

test('a document is written when it is first asked for, and once', async (t) => {
  let written = 0;
  const document = documentAnswer(() => JSON.stringify({ written: (written += 1) }));
  const get = await listening(t, { answers: new Map([['/openapi.json', document]]) });
  assert.equal(written, 0);
  assert.equal(await get('/openapi.json'), '200 {"written":1}');
  assert.equal(await get('/openapi.json'), '200 {"written":1}');
});
