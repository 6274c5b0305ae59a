import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { assertWhole, chat, question, startStream } from '../support/chat.ts';
import { startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { untilProcessing } from '../support/look.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** More than any of these streams comes to. */
const ENDLESS = 1500;

function killChild(corral: ServingCorral): void {
  const pid = corral.starts().at(-1)?.pid;
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
}

describe('a llama-server that is killed', suite, () => {
  it('in the middle of a stream shows as an error event and a broken connection, never as a clean end', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const socket = net.connect(corral.port, '127.0.0.1');
    const body = JSON.stringify({ ...question('a', ENDLESS), stream: true });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    let got = '';
    const isStreaming = Promise.withResolvers<undefined>();
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      got += part;
      if (got.includes('data: ')) isStreaming.resolve(undefined);
    });
    socket.on('error', () => undefined);
    await isStreaming.promise;
    killChild(corral);
    await once(socket, 'close');
    assert.match(got, /^HTTP\/1\.1 200 .*transfer-encoding: chunked/is);
    const last = got.slice(got.lastIndexOf('data: ') + 'data: '.length);
    assert.match(
      last,
      /^\{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"upstream_failed"\}\}/,
    );
    assert.doesNotMatch(got, /\[DONE\]/);
    assert.doesNotMatch(got, /\r\n0\r\n\r\n$/, 'the last chunk would say that this was all');
    await corral.log.waitFor({ msg: 'replica failed', replica: 'a#1' });
  });

  it('in the middle of a stream is an error to the openai client, and the next request succeeds', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const stream = await startStream(corral, 'a', ENDLESS);
    killChild(corral);
    await assert.rejects(stream.whole, { code: 'upstream_failed' });
    const { reason } = await corral.log.waitFor({ msg: 'replica failed', replica: 'a#1' });
    assert.equal(reason, 'llama-server was ended by SIGKILL while it served');
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.equal(corral.starts().length, 2);
  });

  it('before it has answered is 502 to who asked for a whole answer', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    await chat(corral, 'a');
    const refused = assert.rejects(chat(corral, 'a', ENDLESS), { status: 502, code: 'upstream_failed' });
    await untilProcessing(corral, 'a', 1);
    killChild(corral);
    await refused;
  });

  it('while it is idle costs nobody anything: the next request succeeds', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder]);
    await chat(corral, 'a');
    killChild(corral);
    await corral.log.waitFor({ msg: 'replica failed', replica: 'a#1' });
    await assertWhole(chat(corral, 'a'), 'a', 2);
    assert.equal(corral.starts().length, 2);
  });

  it('leaves the streams of other models alone', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a', 'b'], 'slow');
    const corral = await startCorral(t, ['--models-dir', folder]);
    const other = await startStream(corral, 'b', 150);
    const goOn = stopServer(corral, 'b');
    const stream = await startStream(corral, 'a', ENDLESS);
    killChild(corral);
    await assert.rejects(stream.whole, { code: 'upstream_failed' });
    assert.equal(other.isOver(), false);
    goOn();
    await assertWhole(other.whole, 'b', 150);
  });
});
