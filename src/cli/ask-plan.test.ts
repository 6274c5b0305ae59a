import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import type { ModelPlan } from '../routing/model-plan.ts';
import { portOf } from '../testing/http-kit.ts';
import { askPlan } from './ask-plan.ts';

/** A server that answers everything so; returns where it listens. */
async function served(
  t: TestContext,
  serve: (res: ServerResponse, target: string, authorization: string | undefined) => void,
): Promise<string> {
  const server = createServer((req, res) => {
    serve(res, String(req.url), req.headers.authorization);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

const answering = async (t: TestContext, status: number, body: unknown): Promise<string> =>
  served(t, (res) => {
    res.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });

const about = { model: 'a', pool: 'gpu', message: 'so it is' };
const waits = { ...about, outcome: 'waits', reason: 'Reserved', holders: [], leaving: [] } as const;

const PLANS: readonly ModelPlan[] = [
  { ...about, outcome: 'ready' },
  { ...about, outcome: 'loading' },
  { ...about, outcome: 'returns' },
  { ...about, outcome: 'starts', bin: 'gpu-1' },
  waits,
  {
    ...waits,
    outcome: 'refused',
    position: 2,
    until_seconds: 9,
    holders: ['b'],
    leaving: [
      { model: 'b', replica: 'b#1', cause: 'evicted', idle_seconds: 0 },
      { replica: 'c#1', cause: 'fairness' },
    ],
  },
];

describe('asking for a plan', () => {
  for (const plan of PLANS) {
    it(`reads one that says ${plan.outcome}`, async (t) => {
      assert.deepEqual(await askPlan({ url: await answering(t, 200, plan) }, 'a'), { kind: 'planned', plan });
    });
  }

  it('sends the name so that it arrives as it is, below the path of the address', async (t) => {
    let asked = '';
    const url = await served(t, (res, target) => {
      asked = target;
      res.end(JSON.stringify(PLANS[0]));
    });
    await askPlan({ url: `${url}/corral` }, 'Org/A B&model=x#ä');
    const target = new URL(asked, url);
    assert.equal(target.pathname, '/corral/models/plan');
    assert.deepEqual(target.searchParams.getAll('model'), ['Org/A B&model=x#ä']);
  });

  it('sends a key where it was given one, and repeats none that cannot be sent', async (t) => {
    const seen: (string | undefined)[] = [];
    const url = await served(t, (res, _target, authorization) => {
      seen.push(authorization);
      res.end(JSON.stringify(PLANS[0]));
    });
    await askPlan({ url, apiKey: 'secret' }, 'a');
    await askPlan({ url, apiKey: undefined }, 'a');
    assert.deepEqual(seen, ['Bearer secret', undefined]);
    const failed = await askPlan({ url, apiKey: 'secret\n' }, 'a');
    assert.ok(failed.kind === 'failed');
    assert.doesNotMatch(failed.message, /secret/u);
  });

  it('tells an unknown model from what has failed', async (t) => {
    const error = (code: string): object => ({ error: { message: 'in words', code, type: 'x', param: null } });
    const unknown = await askPlan({ url: await answering(t, 404, error('model_not_found')) }, 'a');
    assert.deepEqual(unknown, { kind: 'refused', message: 'in words' });
    const elsewhere = await askPlan({ url: await answering(t, 501, error('planned_elsewhere')) }, 'a');
    assert.equal(elsewhere.kind, 'failed');
    assert.match(elsewhere.message, /501 planned_elsewhere: in words$/u);
    const keyless = await askPlan({ url: await answering(t, 401, error('invalid_api_key')) }, 'a');
    assert.equal(keyless.kind, 'failed');
    assert.match(keyless.message, /401 invalid_api_key: in words\. Give one with --api-key or CORRAL_API_KEY\.$/u);
  });

  for (const [what, status, body] of [
    ['a page', 200, '<html>'],
    ['nothing', 204, ''],
    ['other JSON', 200, '{"status":"ok"}'],
    ['an outcome that nobody knows', 200, JSON.stringify({ ...about, outcome: 'maybe' })],
    ['a wait without its reason', 200, JSON.stringify({ ...waits, reason: undefined })],
    ['a redirection', 302, ''],
    ['the 404 of somebody else', 404, 'not found'],
    ['more than an answer has', 200, JSON.stringify({ ...PLANS[0], message: 'x'.repeat(5 * 2 ** 20) })],
  ] as const) {
    it(`says that ${what} is no answer of Corral`, async (t) => {
      const asked = await askPlan({ url: await answering(t, status, body) }, 'a');
      assert.ok(asked.kind === 'failed');
      assert.match(asked.message, /does not answer as a Corral .*--url/u);
    });
  }

  it('says that nobody listens, that nobody answers, and that an answer breaks off', async (t) => {
    const nobody = createServer();
    nobody.listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const port = portOf(nobody);
    nobody.close();
    await once(nobody, 'close');
    const refused = await askPlan({ url: `http://127.0.0.1:${port}` }, 'a');
    assert.ok(refused.kind === 'failed');
    assert.match(refused.message, /cannot be asked: .*ECONNREFUSED.*--url/u);

    const silent = await askPlan({ url: await served(t, () => undefined) }, 'a', 50);
    assert.ok(silent.kind === 'failed');
    assert.match(silent.message, /no answer in time/u);

    const broken = await served(t, (res) => {
      res.writeHead(200, { 'content-length': 100 }).write('{');
      res.destroy();
    });
    assert.equal((await askPlan({ url: broken }, 'a')).kind, 'failed');
  });
});
