import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { POD_EVENTS } from '../../api/cluster/resources.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Trouble } from '../../domain/replica.ts';
import { seconds } from '../../domain/units.ts';
import { runningStatus } from '../../testing/fake-kubelet.ts';
import { PODS } from '../../testing/kube-testbed.ts';
import { ManualTimers } from '../../testing/manual-timers.ts';
import { startPodBed, type PodBed } from '../../testing/pod-bed.ts';
import { aPodSettings, anIdentity, presetOf, templateOf } from '../../testing/pod-settings.ts';
import { renderPod } from './render-pod-template.ts';

const TEMPLATE = templateOf(aPodSettings());
const MESSAGE = 'MountVolume.SetUp failed for volume "v" : secret "missing" not found';
const CREATING = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'True' }],
  containerStatuses: [{ name: 'llama-server', state: { waiting: { reason: 'ContainerCreating' } } }],
};

interface Bed extends PodBed {
  readonly timers: ManualTimers;
  readonly uid: string;
  readonly name: string;
  /** Resolves when the pod's trouble is as wanted. */
  untilTrouble(isSo: (trouble: Trouble | undefined) => boolean): Promise<Trouble | undefined>;
  say(message: string, more?: JsonObject): void;
  asked(): number;
}

/** A pod that has a node, on which nothing of it begins. */
async function startBed(t: TestContext): Promise<Bed> {
  const timers = new ManualTimers();
  const world = await startPodBed(t, { templates: new Map([[presetOf(TEMPLATE).uid, TEMPLATE]]), timers });
  const { server, backend, kubelet } = world;
  const { metadata } = server.put(PODS, renderPod(TEMPLATE, anIdentity()));
  let events = 0;
  const troubleNow = (): { readonly trouble: Trouble | undefined } | undefined => {
    const state = backend.observe().find(({ id }) => id === metadata.uid)?.state;
    return state?.kind === 'starting' ? { trouble: state.trouble } : undefined;
  };
  kubelet.setStatus(metadata.name, CREATING);
  return {
    ...world,
    timers,
    uid: metadata.uid,
    name: metadata.name,
    untilTrouble: async (isSo) =>
      new Promise((resolve) => {
        const look = (): void => {
          const now = troubleNow();
          if (now !== undefined && isSo(now.trouble)) resolve(now.trouble);
        };
        backend.onChange(look);
        look();
      }),
    say: (message, more = {}) => {
      events += 1;
      server.put(POD_EVENTS, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `e${events}`, namespace: 'ml' },
        involvedObject: { kind: 'Pod', uid: metadata.uid },
        ...{ type: 'Warning', reason: 'FailedMount', lastTimestamp: '2026-01-01T00:00:09Z', message, ...more },
      });
    },
    asked: () => server.requests.filter(({ verb, resource }) => verb === 'list' && resource.plural === 'events').length,
  };
}

const isTold = (trouble: Trouble | undefined): boolean => trouble !== undefined;

describe('of a pod on whose node nothing begins', () => {
  it('the words of its node are asked for after a moment, and are its trouble', async (t) => {
    const bed = await startBed(t);
    bed.say(MESSAGE);
    await bed.untilTrouble(() => true);
    await bed.timers.armed(seconds(2));
    assert.equal(bed.asked(), 0);
    bed.timers.advance(seconds(2));
    const trouble = await bed.untilTrouble(isTold);
    assert.deepEqual(trouble, { code: 'NotStarting', words: `FailedMount: ${MESSAGE}` });
    assert.equal(bed.asked(), 1);
  });

  it('only the last of what keeps it is told, and what has happened rather than its summary', async (t) => {
    const bed = await startBed(t);
    bed.say('older', { lastTimestamp: '2026-01-01T00:00:01Z' });
    bed.say('newest');
    bed.say('Unable to attach or mount volumes: unmounted volumes=[v]', { lastTimestamp: '2026-01-01T00:00:20Z' });
    bed.say('no node yet', { reason: 'FailedScheduling', lastTimestamp: '2026-01-01T00:00:30Z' });
    bed.say('pulling', { type: 'Normal', lastTimestamp: '2026-01-01T00:00:30Z' });
    bed.say('of another pod', { involvedObject: { uid: 'other' }, lastTimestamp: '2026-01-01T00:00:30Z' });
    bed.say('without a time', { lastTimestamp: null });
    await bed.untilTrouble(() => true);
    await bed.timers.armed(seconds(2));
    bed.timers.advance(seconds(2));
    assert.equal((await bed.untilTrouble(isTold))?.words, 'FailedMount: newest');
  });

  it('it is asked again and again, more and more rarely, also after a failure, until something begins', async (t) => {
    const bed = await startBed(t);
    bed.server.fail({ verb: 'list', plural: 'events' }, { kind: 'status', status: 403, message: 'forbidden' });
    await bed.untilTrouble(() => true);
    await bed.timers.armed(seconds(2));
    bed.timers.advance(seconds(2));
    await bed.server.until(() => bed.asked() === 1);
    bed.timers.advance(seconds(5));
    await bed.server.until(() => bed.asked() === 2);
    bed.say(MESSAGE);
    bed.timers.advance(seconds(10));
    await bed.untilTrouble(isTold);
    await bed.timers.armed(seconds(20));
    assert.equal(bed.asked(), 3);
    assert.deepEqual(bed.log.lines.filter((line) => line.startsWith('warn')).length, 1);
    bed.kubelet.setStatus(bed.name, runningStatus(false));
    assert.equal(await bed.untilTrouble((trouble) => !isTold(trouble)), undefined);
    await bed.timers.disarmed(seconds(20));
  });

  it('nobody asks where nobody plans', async (t) => {
    const timers = new ManualTimers();
    const world = await startPodBed(t, { templates: new Map([[presetOf(TEMPLATE).uid, TEMPLATE]]), timers });
    const { metadata } = world.server.put(PODS, renderPod(TEMPLATE, anIdentity()));
    world.kubelet.setStatus(metadata.name, CREATING);
    await timers.armed(seconds(2));
    timers.advance(seconds(60));
    // What was asked before has arrived before.
    for (let call = 0; call < 3; call += 1) await world.api.list(PODS, {});
    assert.ok(world.server.requests.every(({ resource }) => resource.plural !== 'events'));
  });
});
