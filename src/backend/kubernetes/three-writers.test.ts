import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { ANNOTATION } from '../../api/cluster/pod-marks.ts';
import type { PresetUid, ReplicaId } from '../../domain/ids.ts';
import { milliseconds, seconds } from '../../domain/units.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { FakeApiServer } from '../../testing/fake-api-server.ts';
import { PODS } from '../../testing/kube-testbed.ts';
import { EagerTimers, ManualTimers } from '../../testing/manual-timers.ts';
import { startPodBed } from '../../testing/pod-bed.ts';
import { aPodSettings, anIdentity, presetOf, templateOf } from '../../testing/pod-settings.ts';
import { testSeed } from '../../testing/seed.ts';
import type { KubernetesBackend } from './kubernetes-backend.ts';
import { renderPod, type PodTemplate } from './render-pod-template.ts';

const TEMPLATE = templateOf(aPodSettings({ env: [{ name: 'FAKE', value: 'ready' }] }));
const TEMPLATES: ReadonlyMap<PresetUid, PodTemplate> = new Map([[presetOf(TEMPLATE).uid, TEMPLATE]]);
const REF = { namespace: 'ml', name: `${TEMPLATE.baseName}-0` };
const WRITERS = ['x', 'y', 'z'] as const;

/** Who writes between our reading of the pod and the arrival of our write, each time; afterwards nobody does. */
const rounds = fc.array(fc.subarray([...WRITERS], { minLength: 1 }), { maxLength: 12 });
type Rounds = readonly (readonly string[])[];

/** Three others write to a pod, each a count of its own. */
class Others {
  readonly counts = new Map<string, number>();
  readonly #server: FakeApiServer;

  constructor(server: FakeApiServer) {
    this.#server = server;
  }

  write(names: readonly string[]): void {
    for (const name of names) {
      this.counts.set(name, this.#server.requests.length);
      this.#server.edit(PODS, REF, (pod) => {
        const metadata = pod['metadata'] as { annotations: Record<string, string> };
        const annotations = { ...metadata.annotations, [name]: String(this.counts.get(name)) };
        return { ...pod, metadata: { ...metadata, annotations } };
      });
    }
  }

  /** They write before each of our writes of this kind has its effect, as often as `turns` says. Resolves when the last one goes through. */
  async interfere(verb: 'patch' | 'delete', turns: Rounds): Promise<void> {
    const ours = { verb, plural: 'pods', name: REF.name } as const;
    let hold = this.#server.hold(ours);
    for (const names of [...turns, []]) {
      const { arrived } = hold;
      await this.#server.until(() => hold.arrived > arrived);
      this.write(names);
      const next = this.#server.hold(ours);
      hold.release();
      hold = next;
    }
    hold.release();
  }
}

async function contend(t: TestContext, closing: Rounds, deleting: Rounds): Promise<void> {
  const laneTimers = new EagerTimers(seconds(60), () => 0.999);
  const { server, backend, log } = await startPodBed(t, { templates: TEMPLATES, laneTimers });
  server.put(PODS, renderPod(TEMPLATE, anIdentity({ slot: 0, prefix: '/corral-1' })));
  const pod = (): KubeObject | undefined => server.find(PODS, REF.namespace, REF.name);
  const tries = (verb: string): number => server.requests.filter((one) => one.verb === verb && one.name === REF.name).length; // prettier-ignore
  const others = new Others(server);
  const replica = await until(backend, 'ready');
  const closed = others.interfere('patch', closing);
  backend.apply({ kind: 'drain', replica, cause: { kind: 'idle' } });
  await closed;
  await until(backend, 'draining');
  assert.equal(pod()?.metadata.annotations?.[ANNOTATION.gate], 'closed/1');
  for (const [name, count] of others.counts) assert.equal(pod()?.metadata.annotations?.[name], String(count), name);
  const deleted = others.interfere('delete', deleting);
  backend.apply({ kind: 'stop', replica });
  await deleted;
  await server.until(() => pod() === undefined);
  assert.deepEqual([tries('patch'), tries('delete')], [closing.length + 1, deleting.length + 1]);
  assert.ok(Math.max(...laneTimers.delays, 0) <= 250, laneTimers.delays.join());
  assert.ok(!log.lines.some((line) => line.includes('refused') || line.startsWith('error')), log.lines.join());
}

/** Resolves when the only replica is in this state. */
async function until(backend: KubernetesBackend, kind: string): Promise<ReplicaId> {
  return new Promise((resolve) => {
    const check = (): void => {
      const [replica] = backend.observe();
      if (replica?.state.kind === kind) resolve(replica.id);
    };
    backend.onChange(check);
    check();
  });
}

it('where three others write to a pod all the time, our write lands at the first try before which nobody wrote, and loses nothing of theirs', async (t) => {
  await fc.assert(
    fc.asyncProperty(rounds, rounds, async (closing, deleting) => {
      await t.test(`${closing.length} and ${deleting.length} conflicts`, async (one) =>
        contend(one, closing, deleting),
      );
    }),
    { numRuns: 25, seed: testSeed() },
  );
});

it('after a conflict the pod is read when the pause is over, so that what others write meanwhile does no harm', async (t) => {
  const laneTimers = new ManualTimers();
  const { server, backend } = await startPodBed(t, { templates: TEMPLATES, laneTimers });
  server.put(PODS, renderPod(TEMPLATE, anIdentity({ slot: 0, prefix: '/corral-1' })));
  const others = new Others(server);
  const calls = (): readonly string[] =>
    server.requests.filter(({ name }) => name === REF.name).map(({ verb }) => verb);
  const replica = await until(backend, 'ready');
  const hold = server.hold({ verb: 'patch', plural: 'pods', name: REF.name });
  backend.apply({ kind: 'drain', replica, cause: { kind: 'idle' } });
  await server.until(() => hold.arrived > 0);
  others.write(['x']);
  hold.release();
  const firstPause = milliseconds(5);
  await laneTimers.armed(firstPause);
  assert.deepEqual(calls(), ['patch']);
  others.write(['y', 'z']);
  laneTimers.advance(firstPause);
  await server.until(() => server.find(PODS, REF.namespace, REF.name)?.metadata.annotations?.[ANNOTATION.gate] === 'closed/1'); // prettier-ignore
  assert.deepEqual(calls(), ['patch', 'get', 'patch']);
});
