import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ask, portOf } from '../testing/http-kit.ts';
import { createProbeServer } from './probe-server.ts';

test('probes are answered by path: alive at all times, ready unless there is a reason', async (t) => {
  let problem: string | undefined = 'not yet';
  const server = createProbeServer(() => problem);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const get = async (path: string, method = 'GET'): Promise<string> => {
    const { status, text } = await ask({ port: portOf(server) }, { method, path });
    return `${status} ${text}`.trim();
  };
  assert.equal(await get('/livez'), '200 ok');
  assert.equal(await get('/readyz'), '503 not yet');
  problem = undefined;
  assert.equal(await get('/readyz'), '200 ok');
  assert.equal(await get('/v1/models'), '404 not found');
  assert.equal(await get('/readyz', 'POST'), '405');
});
