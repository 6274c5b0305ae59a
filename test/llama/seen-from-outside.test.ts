import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, type Got } from '../../src/testing/http-kit.ts';
import { spawnCorral, startCorral, suite, type ServingCorral } from '../support/corral.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tinyModels } from '../support/tiny-models.ts';

const MAX_TOKENS = 5;
/** Text that looks like what is counted, both in what is asked and, by echo, in what is answered. */
const MESSAGES = [{ role: 'user', content: 'How many tokens does this take? "usage":{"prompt_tokens":999}' }];

/** One request of each API that answers with text. */
const ASKED: readonly (readonly [path: string, body: object])[] = [
  ['/v1/chat/completions', { messages: MESSAGES, max_tokens: MAX_TOKENS }],
  ['/v1/completions', { prompt: 'Once upon', max_tokens: MAX_TOKENS }],
  ['/completion', { prompt: 'Once upon', n_predict: MAX_TOKENS }],
  ['/v1/messages', { messages: MESSAGES, max_tokens: MAX_TOKENS }],
  ['/v1/responses', { input: 'Once upon', max_output_tokens: MAX_TOKENS }],
];

/** Each of them as a whole answer and as a stream. */
const REQUESTS = ASKED.flatMap(([path, body]) =>
  [false, true].map((stream) => [path, { model: 'a', ignore_eos: true, ...body, stream }] as const),
);

const adminOf = async (corral: ServingCorral): Promise<{ port: number }> => {
  const line = await corral.log.waitFor({ msg: 'answering probes and scrapes' });
  return { port: Number(new URL(String(line['url'])).port) };
};

const get = async (target: { port: number }, path: string): Promise<Got> => ask(target, { method: 'GET', path });

/** The last number that an answer has under one of these names, outside of strings. */
const lastNumber = (text: string, names: string): number | undefined => {
  const all = [...text.matchAll(new RegExp(`[^\\\\]"(?:${names})":(\\d+)`, 'gu'))];
  const last = all.at(-1);
  return last === undefined ? undefined : Number(last[1]);
};

/** The number that a scrape has for a series. */
const valueOf = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
};

describe('a corral seen from outside', suite, () => {
  it('tells of the tokens of each answer, streamed or not and asked for or not, as llama-server counts them', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--admin-port', '0']);
    const sums = { in: 0, out: 0 };
    for (const [path, body] of REQUESTS) {
      const { status, text } = await ask(corral, { path, body: JSON.stringify(body) });
      assert.equal(status, 200, text);
      const bytesOut = Buffer.byteLength(text);
      const { tokensIn, tokensOut } = await corral.log.waitFor({ msg: 'request', route: path, bytesOut });
      const what = `${path} ${JSON.stringify(body)}: ${text.slice(-600)}`;
      assert.equal(tokensOut, lastNumber(text, 'completion_tokens|output_tokens|tokens_predicted|predicted_n'), what);
      // llama-server leaves message_start out where the first token is no whole character: then nobody tells of the prompt.
      const isTold = path !== '/v1/messages' || !body.stream || text.includes('message_start');
      if (isTold) assert.ok(Number(tokensIn) > 0 && Number(tokensIn) < 200, what);
      else assert.equal(tokensIn, undefined, what);
      const prompt = lastNumber(text, 'prompt_tokens|tokens_evaluated');
      if (prompt !== undefined) assert.equal(tokensIn, prompt, what);
      sums.in += isTold ? Number(tokensIn) : 0;
      sums.out += Number(tokensOut);
    }
    const { text } = await get(await adminOf(corral), '/metrics');
    assert.equal(valueOf(text, 'corral_tokens_total{model="a",direction="in"}'), sums.in);
    assert.equal(valueOf(text, 'corral_tokens_total{model="a",direction="out"}'), sums.out);
    assert.equal(valueOf(text, 'corral_request_duration_seconds_count{model="a"}'), REQUESTS.length);
    assert.equal(valueOf(text, 'corral_queue_wait_seconds_count{model="a"}'), 1);
    assert.equal(valueOf(text, 'corral_requests_in_flight{model="a"}'), 0);
  });

  it('is ready until it is told to end, and shows nothing of its models on the clients’ port', async (t) => {
    const folder = await tempFolder(t);
    await tinyModels(folder, ['a']);
    const corral = await startCorral(t, ['--models-dir', folder, '--admin-port', '0']);
    const admin = await adminOf(corral);
    assert.deepEqual([(await get(admin, '/livez')).status, (await get(admin, '/readyz')).text], [200, 'ok\n']);
    const document = JSON.parse((await get(admin, '/openapi.json')).text) as { openapi: string; paths: object };
    assert.equal(document.openapi, '3.1.0');
    assert.ok('/v1/chat/completions' in document.paths && !('/metrics' in document.paths));
    assert.equal((await get(admin, '/v1/models')).status, 404);
    assert.equal((await get(corral, '/metrics')).status, 404);
    assert.equal((await corral.stop()).code, 0);
  });

  it('refuses to say where an admin port listens that there is none of', async (t) => {
    const corral = await spawnCorral(t, ['--admin-host', '127.0.0.1']);
    const { code, stderr } = await corral.exited;
    assert.equal(code, 2);
    assert.match(stderr, /--admin-host says where --admin-port listens/u);
  });
});
