import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { seconds } from '../domain/units.ts';
import { portOf } from '../testing/http-kit.ts';
import { aPod, keptLog, PODS, startKube } from '../testing/kube-testbed.ts';
import { ManualTimers } from '../testing/manual-timers.ts';
import { ApiUnreachable, isTemporary, NotSent } from './kube-api.ts';
import { createKubeApi, type KubeConnection, type TransportOptions } from './transport.ts';

const DELETION = { uid: 'u', resourceVersion: '1', gracePeriodSeconds: undefined };
const REF = { namespace: 'ml', name: 'a' };

/** A client of the server at this address, which ends with the test. */
function connectTo(t: TestContext, url: string, options: Omit<TransportOptions, 'log'>): KubeConnection {
  const api = createKubeApi(
    { server: new URL(url), tokenFile: undefined, caFile: undefined },
    { log: keptLog(), ...options },
  );
  t.after(async () => api.close());
  return api;
}

/** A server that answers nothing. Returns where it is, and its first connection with what comes on it. */
async function startMute(t: TestContext): Promise<{ url: string; first: Promise<Socket>; received: () => string }> {
  let text = '';
  const server = createServer();
  const first = once(server, 'connection').then(([socket]: Socket[]) => {
    if (socket === undefined) throw new Error('no connection');
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return socket;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${portOf(server)}`, first, received: () => text };
}

describe('a fenced client of an API server', () => {
  it('sends no write of any kind while it must not, and reads all the same', async (t) => {
    const { server } = await startKube(t);
    const pod = server.put(PODS, aPod('a'));
    const api = connectTo(t, server.url, { timers: new ManualTimers(), whyNotWrite: () => 'not now' });
    assert.equal((await api.get(PODS, REF))?.metadata.uid, pod.metadata.uid);
    assert.equal((await api.list(PODS, {})).items.length, 1);
    const writes = [
      async () => api.create(PODS, aPod('b')),
      async () => api.replace(PODS, pod),
      async () => api.patch(PODS, REF, { uid: pod.metadata.uid, resourceVersion: undefined, body: {} }),
      async () => api.delete(PODS, REF, DELETION),
    ];
    for (const write of writes) {
      await assert.rejects(write, (error) => error instanceof NotSent && error.message === 'not sent: not now');
    }
    assert.deepEqual([...new Set(server.requests.map(({ method }) => method))], ['GET']);
    assert.equal(isTemporary(new NotSent('x')), true, 'whoever may write later tries again');
  });

  it('asks when the write goes out, not when it was ordered', async (t) => {
    const { server } = await startKube(t);
    let reason: string | undefined;
    const api = connectTo(t, server.url, { timers: new ManualTimers(), whyNotWrite: () => reason });
    const ordered = api.create(PODS, aPod('a'));
    // There is no connection yet.
    reason = 'the lead was lost meanwhile';
    await assert.rejects(ordered, NotSent);
    assert.deepEqual(server.requests, []);
    reason = undefined;
    await api.create(PODS, aPod('a'));
    assert.equal(server.requests.length, 1, 'and it goes on when it may');
  });

  it('resets the connection of a write that is not answered in its time, which is shorter than that of a read', async (t) => {
    const { url, first, received } = await startMute(t);
    const timers = new ManualTimers();
    const api = connectTo(t, url, { timers, writeTimeout: seconds(2) });
    const refused = assert.rejects(api.delete(PODS, REF, DELETION), (error) => {
      return error instanceof ApiUnreachable && error.message.endsWith('no answer within 2 s');
    });
    const socket = await first;
    while (!received().includes('preconditions')) await once(socket, 'data');
    // Closed in order, it would end without an error, and the kernel would go on to send what is not confirmed.
    const reset = assert.rejects(once(socket, 'close'), { code: 'ECONNRESET' });
    timers.advance(seconds(2));
    await Promise.all([refused, reset]);
    void api.get(PODS, REF).catch(() => undefined);
    await timers.armed(seconds(10));
  });
});
