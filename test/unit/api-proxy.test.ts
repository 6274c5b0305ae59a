import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { urlOf } from '../../src/cli/listen.ts';
import { ApiProxy } from '../prove/operator-trials/api-proxy.ts';

/** A proxy before an API server that takes writes and answers none; `arrived` resolves with the first one. */
async function startProxy(
  t: TestContext,
): Promise<{ readonly url: string; readonly arrived: Promise<IncomingMessage> }> {
  const arrived = Promise.withResolvers<IncomingMessage>();
  const server = createServer((request) => {
    arrived.resolve(request);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new ApiProxy(t, { server: urlOf(server), ca: '', name: 'test' });
  return { url: await proxy.listen(), arrived: arrived.promise };
}

describe('the proxy between a part of Corral and the API server', { timeout: 20_000 }, () => {
  it('takes a write back whose sender has given it up', async (t) => {
    const { url, arrived } = await startProxy(t);
    const leaving = new AbortController();
    const asked = fetch(url, { method: 'POST', body: '{}', signal: leaving.signal });
    const request = await arrived;
    const closed = once(request.socket, 'close');
    leaving.abort();
    await assert.rejects(asked, { name: 'AbortError' });
    await closed;
  });
});
