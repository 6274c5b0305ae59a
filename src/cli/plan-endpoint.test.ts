import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { createAdminServer } from '../admin/admin-server.ts';
import type { OperatorReplica } from '../operator/operator-replica.ts';
import { ask, errorOf, portOf, type Got } from '../testing/http-kit.ts';
import { keptLog } from '../testing/kube-testbed.ts';
import { planEndpoint } from './plan-endpoint.ts';

/** What the admin port answers for a model. */
async function get(t: TestContext, operator: Partial<Pick<OperatorReplica, 'plan' | 'standing'>>): Promise<Got> {
  const whole = { standing: () => ({ kind: 'planning' }) as const, plan: () => undefined, ...operator };
  const server = createAdminServer({ whyNotReady: () => undefined, answers: planEndpoint(whole, keptLog()) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return ask({ port: portOf(server) }, { method: 'GET', path: '/models/plan?model=a%2Fb' });
}

describe("the plan on the operator's admin port", () => {
  it("is the operator's", async (t) => {
    const plan = (model: string) => ({ model, pool: 'gpu', outcome: 'ready', message: 'it is ready' }) as const;
    const got = await get(t, { plan });
    assert.deepEqual([got.status, JSON.parse(got.text)], [200, plan('a/b')]);
  });

  it('is 404 for a name that nobody declares', async (t) => {
    const got = await get(t, {});
    assert.deepEqual([got.status, errorOf(got).get('code')], [404, 'model_not_found']);
  });

  it('is 503 with the reason, and not 404, until everything was read', async (t) => {
    const got = await get(t, { standing: () => ({ kind: 'reading', reason: 'not everything is read' }) });
    assert.deepEqual([got.status, errorOf(got).get('message')], [503, 'not everything is read']);
  });

  it('is 501 where another operator leads, and says which, so that nobody takes what one that stands by thinks for a plan', async (t) => {
    const got = await get(t, { standing: () => ({ kind: 'standby', leader: 'corral-operator-7f' }) });
    assert.deepEqual([got.status, errorOf(got).get('code')], [501, 'planned_elsewhere']);
    assert.match(String(errorOf(got).get('message')), /ask the one that leads, corral-operator-7f$/u);
  });

  it('is 503 where nobody leads', async (t) => {
    const got = await get(t, { standing: () => ({ kind: 'standby', leader: undefined }) });
    assert.deepEqual([got.status, errorOf(got).get('code')], [503, 'not_ready']);
  });

  it('is 500 where the planner fails, and the operator goes on', async (t) => {
    const got = await get(t, {
      plan: () => {
        throw new Error('inner detail');
      },
    });
    assert.equal(got.status, 500);
    assert.doesNotMatch(got.text, /inner detail/u);
  });
});
