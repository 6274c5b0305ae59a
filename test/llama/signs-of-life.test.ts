import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAnswer, send, type Got } from '../../src/testing/http-kit.ts';
import { assertWhole, question, startStream } from '../support/chat.ts';
import { startCorral, suite } from '../support/corral.ts';
import { stopServer } from '../support/stopped-server.ts';
import { tempFolder, type Cleanup } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

/** A stream of model b that is asked for while model a streams and there is room for one: it waits until a's has ended. */
async function streamAfterWait(t: Cleanup, path: string, body: object): Promise<Got> {
  const folder = await tempFolder(t);
  await tinyModels(folder, ['a', 'b'], 'slow');
  const corral = await startCorral(t, ['--models-dir', folder, '--models-max=1', '--heartbeat-interval=20ms']);
  const before = await startStream(corral, 'a', 100);
  const goOn = stopServer(corral, 'a');
  const reading = readAnswer(send(corral, { path, body: JSON.stringify({ ...body, stream: true }) }));
  await reading.until('\n\n');
  assert.equal(before.isOver(), false, 'a sign of life comes while it waits');
  goOn();
  await assertWhole(before.whole, 'a', 100);
  return reading.whole;
}

describe('a client that waits for a stream', suite, () => {
  it("gets signs of life, and then llama-server's stream", async (t) => {
    const { status, text, broken } = await streamAfterWait(t, '/v1/chat/completions', question('b', 4));
    assert.deepEqual([status, broken], [200, false]);
    assert.match(text, /^(?:: waiting\n\n)+data: \{"choices":[^]*data: \[DONE\]\n\n$/u);
  });

  it("gets pings, and then llama-server's stream, from Anthropic's API", async (t) => {
    const messages = [{ role: 'user', content: 'hello' }];
    const { status, text, broken } = await streamAfterWait(t, '/v1/messages', { model: 'b', max_tokens: 4, messages });
    assert.deepEqual([status, broken], [200, false]);
    // llama-server leaves message_start out where the first token is no whole character, and the block, too, where none is.
    assert.match(
      text,
      /^(?:event: ping\ndata: \{"type":"ping"\}\n\n)+event: (?:message_start|content_block_start|message_delta)\n[^]*event: message_stop\n/u,
    );
  });

  it('is told in an event what llama-server answers instead of a stream, in its own words', async (t) => {
    const tooLong = { ...question('b', 4), messages: [{ role: 'user', content: 'x'.repeat(20_000) }] };
    const { status, text, broken } = await streamAfterWait(t, '/v1/chat/completions', tooLong);
    assert.deepEqual([status, broken], [200, true]);
    assert.match(
      text,
      /^(?:: waiting\n\n)+data: \{"error":\{"message":"[^"]*context[^"]*".*"code":"upstream_refused"\}\}\n\n$/u,
    );
  });
});
