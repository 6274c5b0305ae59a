import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { question } from '../../support/chat.ts';
import type { RunningEdge } from '../support/corral-in-cluster.ts';
import { ask, contentOf } from '../support/edge-client.ts';
import { inCluster } from '../support/in-cluster.ts';
import { standStill } from '../support/pod-process.ts';

/** Its llama-server stands still until it is killed. */
const LONG = 600;
const MODEL = 'cut-short';
/** Where edges tell of themselves. */
const ADMIN_PORT = '8081';

/** A stream as it is on the wire. */
interface RawStream {
  /** Resolves with the first event. */
  readonly begun: Promise<void>;
  /** All that came, up to the end of the connection. */
  readonly whole: Promise<string>;
}

function startRawStream({ url }: RunningEdge): RawStream {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  const body = JSON.stringify({ ...question(MODEL, LONG), stream: true });
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  socket.setEncoding('latin1');
  const begun = new Promise<void>((resolve) => {
    socket.once('data', () => {
      resolve();
    });
  });
  return { begun, whole: text(socket) };
}

/** How many answers of the model have broken off in the middle, by the metrics of an edge. Missing: none. */
async function countBroken({ url }: RunningEdge): Promise<number> {
  const metrics = new URL('/metrics', url);
  metrics.port = ADMIN_PORT;
  const told = await (await fetch(metrics)).text();
  const series = `corral_upstream_errors_total{model="${MODEL}",kind="broken"} `;
  const line = told.split('\n').find((one) => one.startsWith(series));
  return line === undefined ? 0 : Number(line.slice(series.length));
}

describe('a stream that lasts longer than the grace with which somebody deletes its pod', { timeout: 120_000 }, () => {
  it(
    'ends with an error event and a cut connection, and is counted; the next request gets another pod',
    inCluster(async (scene) => {
      const { corral } = scene;
      await scene.apply('short', await scene.pool(), [{ name: MODEL, source: { path: '/models/slow.gguf' } }]);
      const said = contentOf(await ask(scene.url, MODEL));
      const old = await scene.readyPod(MODEL);
      const edge = await corral.edge();
      assert.equal(await countBroken(edge), 0);
      const stream = startRawStream(edge);
      await stream.begun;
      standStill(scene.t, old);

      const pod = `/api/v1/namespaces/${scene.namespace}/pods/${old.metadata.name}`;
      await corral.cluster.api.call('DELETE', pod, { gracePeriodSeconds: 1 });
      const got = await stream.whole;
      assert.match(got, /^HTTP\/1\.1 200 .*transfer-encoding: chunked/is);
      assert.match(
        got.slice(got.lastIndexOf('data: ')),
        /^data: \{"error":\{"message":"[^"]+".*"code":"upstream_failed"\}\}/u,
      );
      assert.doesNotMatch(got, /\[DONE\]/u);
      assert.doesNotMatch(got, /\r\n0\r\n\r\n$/u, 'the last chunk would say that this was all');
      assert.equal(await countBroken(edge), 1);

      assert.equal(contentOf(await ask(scene.url, MODEL)), said);
      await scene.readyPod(MODEL, old);
    }),
  );
});
