import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { ANNOTATION } from '../../api/cluster/pod-marks.ts';
import type { PresetUid } from '../../domain/ids.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { FakeHold } from '../../testing/fake-api-faults.ts';
import { PODS } from '../../testing/kube-testbed.ts';
import { startBackend, startPodBed } from '../../testing/pod-bed.ts';
import { aPodSettings, anIdentity, presetOf, templateOf } from '../../testing/pod-settings.ts';
import { testSeed } from '../../testing/seed.ts';
import type { KubernetesBackend } from './kubernetes-backend.ts';
import { renderPod, type PodTemplate } from './render-pod-template.ts';

const TEMPLATE = templateOf(aPodSettings({ env: [{ name: 'FAKE', value: 'ready' }] }));
const TEMPLATES: ReadonlyMap<PresetUid, PodTemplate> = new Map([[presetOf(TEMPLATE).uid, TEMPLATE]]);
const REF = { namespace: 'ml', name: `${TEMPLATE.baseName}-0` };

/** What happens next: an old leader stops, a new one cancels, one of their calls gets through, or somebody else writes. */
type Step = 'stop' | 'cancel' | 'patch' | 'delete' | 'noise' | 'lose-patch' | 'lose-delete';

const steps = fc
  .tuple(
    fc.shuffledSubarray<Step>(['patch', 'delete', 'noise', 'lose-patch', 'lose-delete'], { minLength: 0 }),
    fc.constantFrom<readonly Step[]>(['stop', 'cancel'], ['cancel', 'stop']),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([others, orders, mix]) => interleave(others, orders, mix));

function interleave(a: readonly Step[], b: readonly Step[], mix: Iterable<boolean>): readonly Step[] {
  const [left, right] = [[...a], [...b]];
  const all: Step[] = [];
  for (const fromLeft of mix) {
    const next = (fromLeft ? left : right).shift();
    if (next !== undefined) all.push(next);
    if (left.length + right.length === 0) break;
  }
  return all;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

/** Two leaders at one drained pod; the calls of each wait until a step, or the end, lets them through. */
async function race(t: TestContext, order: readonly Step[]): Promise<void> {
  const { server, api } = await startPodBed(t, { templates: TEMPLATES });
  server.put(PODS, renderPod(TEMPLATE, anIdentity({ slot: 0, prefix: '/corral-1' })));
  const pod = (): KubeObject | undefined => server.find(PODS, REF.namespace, REF.name);
  const mark = (annotations: Record<string, string>): void => {
    if (pod() === undefined) return;
    server.edit(PODS, REF, (found) => {
      const metadata = found['metadata'] as { annotations: Record<string, string> };
      return { ...found, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
    });
  };
  await server.until(() => JSON.stringify(pod()).includes('"Ready","status":"True"'));
  mark({ [ANNOTATION.gate]: 'closed/1', [ANNOTATION.drainCause]: 'idle' });
  let wasOpened = false;
  let isOver = false;
  void server.until(() => {
    wasOpened ||= pod()?.metadata.annotations?.[ANNOTATION.gate] === 'open/2';
    return isOver;
  });
  const { backend: stopping } = await startBackend(t, api, { templates: TEMPLATES });
  const { backend: cancelling } = await startBackend(t, api, { templates: TEMPLATES });
  const ids = [stopping, cancelling].map((backend) => backend.observe()[0]?.id);
  const [replica] = ids;
  assert.ok(replica !== undefined && ids[1] === replica);
  const holds: Record<'patch' | 'delete', FakeHold> = {
    patch: server.hold({ verb: 'patch', plural: 'pods' }),
    delete: server.hold({ verb: 'delete', plural: 'pods' }),
  };
  const acts: Record<Step, () => void> = {
    stop: () => {
      stopping.apply({ kind: 'stop', replica });
    },
    cancel: () => {
      cancelling.apply({ kind: 'cancel', replica });
    },
    patch: () => {
      holds.patch.release();
    },
    delete: () => {
      holds.delete.release();
    },
    noise: () => {
      mark({ somebody: 'else' });
    },
    'lose-patch': () => {
      server.fail({ verb: 'patch', plural: 'pods' }, { kind: 'reset-after' });
    },
    'lose-delete': () => {
      server.fail({ verb: 'delete', plural: 'pods' }, { kind: 'reset-after' });
    },
  };
  for (const step of order) {
    acts[step]();
    await turns(8);
  }
  holds.patch.release();
  holds.delete.release();
  await agreed(stopping, cancelling, () => (pod() === undefined ? '' : 'ready'));
  isOver = true;
  assert.equal(pod() !== undefined, wasOpened, 'opened, and so it stays; or deleted, and never opened');
  assert.equal(pod()?.metadata.deletionTimestamp, undefined);
}

/** Resolves when both observe what is true. */
async function agreed(a: KubernetesBackend, b: KubernetesBackend, truth: () => string): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = (): void => {
      const seen = [a, b].map((backend) =>
        backend
          .observe()
          .map(({ state }) => state.kind)
          .join(),
      );
      if (seen.every((kinds) => kinds === truth())) resolve();
    };
    for (const backend of [a, b]) backend.onChange(check);
    check();
  });
}

it('of one leader’s stop and another’s cancel exactly one wins, in whatever order their calls come through', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (order) => {
      await t.test(order.join(', '), async (race_) => race(race_, order));
    }),
    { numRuns: 40, seed: testSeed() },
  );
});
