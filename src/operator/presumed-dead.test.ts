import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EVENTS, PODS } from '../api/cluster/resources.ts';
import { readPath } from '../api/field-path.ts';
import type { SlotLook } from '../backend/kubernetes/look-at-slots.ts';
import { instant, milliseconds } from '../domain/units.ts';
import type { Timers } from '../kube/timers.ts';
import { monotonicNow, wakeIn } from '../platform/clock.ts';
import {
  creations,
  declare,
  gateOf,
  phaseIs,
  report,
  startBed,
  startOperator,
  type OperatorBed,
} from '../testing/operator-bed.ts';
import type { Operator } from './operator.ts';

/** A clock that runs twenty times as fast: what takes ten seconds is over in half of one. */
const TIMES = 20;
const FAST: Timers = {
  now: () => instant(monotonicNow() * TIMES),
  wakeIn: (delay, callback) => wakeIn(milliseconds(delay / TIMES), callback),
  random: () => 0.5,
};

/** The model `a` is loaded, `b` is wanted, and the only edge does not say a word about it any more. */
async function startHung(
  t: TestContext,
  lookAt: (pod: { readonly uid: string }) => Promise<SlotLook>,
): Promise<OperatorBed & { readonly operator: Operator; readonly pod: string }> {
  const bed = await startBed(t);
  const { server } = bed;
  const metadata = { name: 'edge-1', namespace: 'corral-system', uid: 'edge-1-pod' };
  server.put(PODS, { metadata, spec: {}, status: { phase: 'Running' } });
  for (const name of ['a', 'b']) declare(server, name);
  report(server, { models: { a: { waiting: 1 } } });
  const operator = await startOperator(t, { ...bed, timers: FAST }, lookAt);
  await server.until(phaseIs(server, 'a', 'Ready'));
  report(server, { models: { a: {}, b: { waiting: 1 } } });
  const models = server.objects(PODS).filter((pod) => gateOf(pod) !== undefined);
  return { ...bed, operator, pod: String(models[0]?.metadata.uid) };
}

describe('an edge that hangs', () => {
  it('holds an eviction up until it is presumed dead, which is told; the guard in the pod may still hold it up', async (t) => {
    const looks: string[] = [];
    const { server, operator, pod } = await startHung(t, async ({ uid }) => {
      looks.push(uid);
      return Promise.resolve('idle');
    });
    await server.until(phaseIs(server, 'b', 'Ready'));
    assert.deepEqual(creations(server), ['a', 'b']);
    assert.deepEqual(new Set(looks), new Set([pod]));
    assert.ok(looks.length > 1);
    const ends = server.requests.filter(({ verb, resource }) => verb === 'delete' && resource.plural === 'pods');
    assert.deepEqual(
      ends.map(({ body }) => [readPath(body, ['preconditions', 'uid']), readPath(body, ['gracePeriodSeconds'])]),
      [[pod, undefined]],
      'with its own grace',
    );
    assert.equal(operator.presumedDead, 1);
    const told = (): string[] =>
      server.objects(EVENTS).map((event) => `${String(event['reason'])} ${String(event['note'])}`);
    await server.until(() =>
      told().some((one) => one.startsWith('PresumedDead a: its pod is stopped without the word of edge-1')),
    );
  });

  it('holds it up for as long as a slot is busy, or nobody can see the slots', async (t) => {
    const shown: SlotLook[] = ['busy', 'idle', 'unknown', 'idle', 'busy'];
    const enough = Promise.withResolvers<undefined>();
    const { server, operator } = await startHung(t, async () => {
      const look = shown.shift();
      if (look === undefined) enough.resolve(undefined);
      return Promise.resolve(look ?? 'unknown');
    });
    await enough.promise;
    assert.deepEqual(creations(server), ['a']);
    assert.ok(!server.requests.some(({ verb }) => verb === 'delete'));
    assert.equal(operator.presumedDead, 0);
  });
});
