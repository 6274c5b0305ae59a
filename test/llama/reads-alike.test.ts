import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { takeFreePort } from '../../src/backend/local/free-port.ts';
import { readJsonModel } from '../../src/edge/json-model.ts';
import { formCases } from '../../src/testing/form-cases.ts';
import { hostileBody, randomFrom } from '../../src/testing/hostile-bodies.ts';
import { ask, type Got } from '../../src/testing/http-kit.ts';
import { testSeed } from '../../src/testing/seed.ts';
import { suite } from '../support/corral.ts';
import { runServer, untilTrue } from '../support/run-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const BODIES = 300;

/** llama-server's own router, without any model: it answers each request with the name that it has read. */
async function startRouter(t: TestContext): Promise<number> {
  const folder = await tempFolder(t);
  const port = await takeFreePort();
  const llamaServer = String(process.env['LLAMA_SERVER']);
  const args = ['--models-dir', folder, '--host', '127.0.0.1', '--port', String(port)];
  const server = runServer(llamaServer, args, { env: { ...process.env, LLAMA_CACHE: folder } });
  t.after(server.stop);
  await untilTrue(
    "llama-server's router",
    async () =>
      ask({ port }, { method: 'GET', path: '/health' }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    50,
  );
  return port;
}

/** The name that the router says it does not have. `undefined`: it has not come so far. */
function nameIn({ text }: Got): string | undefined {
  if (!text.startsWith('{')) return undefined;
  const { error } = JSON.parse(text) as { error: { message: string } };
  return /^model '([^]*)' not found$/.exec(error.message)?.[1];
}

/** The router cuts a name at a NUL when it tells it. */
const asTold = (model: string): string => model.split('\0', 1).join('');

describe("what llama-server's router reads", suite, () => {
  it('in every form that is accepted is the same model', async (t) => {
    const port = await startRouter(t);
    let told = 0;
    for (const { what, contentType, body, expected } of formCases) {
      if (expected instanceof RegExp) continue;
      const headers = { 'content-type': contentType };
      const got = await ask({ port }, { path: '/v1/audio/transcriptions', body, headers });
      assert.equal(nameIn(got), expected.model, `${what}: ${got.status} ${got.text}`);
      told += 1;
    }
    assert.ok(told > 30);
  });

  it('in every JSON body that is accepted is the same model', async (t) => {
    const port = await startRouter(t);
    const random = randomFrom(testSeed());
    for (let accepted = 0; accepted < BODIES;) {
      const { body } = hostileBody(random);
      const found = readJsonModel(body);
      if (!found.ok) continue;
      accepted += 1;
      const got = await ask({ port }, { path: '/completion', body });
      assert.equal(nameIn(got), asTold(found.model), `${body.toString()}: ${got.status} ${got.text}`);
    }
  });
});
