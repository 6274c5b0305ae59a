import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { test, type TestContext } from 'node:test';
import { ask, portOf } from '../testing/http-kit.ts';
import { createProbeServer } from './probe-server.ts';

type Get = (path: string, method?: string) => Promise<string>;

async function listening(t: TestContext, server: Server): Promise<Get> {
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
  const get = await listening(
    t,
    createProbeServer(() => problem),
  );
  assert.equal(await get('/livez'), '200 ok');
  assert.equal(await get('/readyz'), '503 not yet');
  problem = undefined;
  assert.equal(await get('/readyz'), '200 ok');
  assert.equal(await get('/v1/models'), '404 not found');
  assert.equal(await get('/readyz', 'POST'), '405');
});

test('what else there is has its own path, compared byte for byte, and gets its query', async (t) => {
  const server = createProbeServer(
    () => 'not ready',
    new Map([['/plan', (query, response) => void response.end(`asked ${query}`)]]),
  );
  const get = await listening(t, server);
  assert.equal(await get('/plan?model=a?b'), '200 asked ?model=a?b');
  assert.equal(await get('/plan'), '200 asked');
  assert.equal(await get('/plan', 'POST'), '405');
  assert.equal(await get('/plan/'), '404 not found');
  assert.equal(await get('/readyz'), '503 not ready');
});
