import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATION } from '../api/cluster/pod-marks.ts';
import { viewPod, type PodView } from '../api/cluster/pod-view.ts';
import { settleOrders } from '../control/order-book.ts';
import { modelName, presetUid, replicaId } from '../domain/ids.ts';
import type { Order } from '../domain/order.ts';
import type { Preset } from '../domain/preset.ts';
import type { DrainCause } from '../domain/replica.ts';
import { instant } from '../domain/units.ts';
import { NOTHING_SAID } from '../routing/standing.ts';
import { aModelPod } from '../testing/cluster-objects.ts';
import { aPreset, aReplica, scaled } from '../testing/worlds.ts';
import { lookAtRoutes } from './route-look.ts';

const A: Preset = { ...aPreset('a'), uid: presetUid('a-uid/a') };
const NOW = instant(1000);
type Cause = Extract<DrainCause['kind'], 'changed' | 'ordered' | 'idle' | 'deleted' | 'capacity'>;

function aLeavingPod(kind: Cause): PodView {
  const annotations = { [ANNOTATION.drainCause]: kind };
  const pod = viewPod(aModelPod('a', { uid: kind, gate: { closed: true, epoch: 1 }, annotations }) as never);
  assert.ok(pod !== undefined);
  return pod;
}

/** Whether an edge refuses a request for a preset that is not loaded, and of which no status has said anything. */
function isRefused(preset: Preset, causes: readonly Cause[]): boolean {
  const presets = [{ preset, standing: NOTHING_SAID }];
  const pods = causes.map(aLeavingPod);
  const { table } = lookAtRoutes({ presets, pods, underOrders: (_preset, told) => told, now: NOW });
  return table.find(modelName('a'))?.refusal?.kind === 'autoload-off';
}

/** The same of `corral serve`: an order to unload stands until what it was for is gone. */
function isRefusedByServe(preset: Preset, causes: readonly Cause[]): boolean {
  const replicas = causes.map((kind) =>
    aReplica(preset, { kind: 'draining', since: NOW, cause: { kind } }, { id: replicaId(kind) }),
  );
  const unload: Order = { kind: 'unload', since: NOW };
  const given = new Map(causes.includes('ordered') ? [[preset.uid, unload]] : []);
  return settleOrders(given, [preset], replicas, NOW).get(preset.uid)?.kind !== 'load';
}

test('a preset without autoload is refused while it is not loaded, and not where it has ordered its own load, as in serve', () => {
  const answers = [0, 1].flatMap((minReplicas) =>
    ([[], ['idle'], ['changed'], ['ordered'], ['deleted'], ['capacity'], ['changed', 'ordered']] as const).map(
      (causes) => {
        const preset = scaled(A, { autoload: false, minReplicas });
        const refused = isRefused(preset, causes);
        assert.equal(refused, isRefusedByServe(preset, causes), `${minReplicas} ${causes.join(' ')}`);
        return `${minReplicas} ${causes.join('+')} ${refused ? 'refused' : 'held'}`;
      },
    ),
  );
  assert.deepEqual(answers, [
    ...['0  refused', '0 idle refused', '0 changed held', '0 ordered refused', '0 deleted refused'],
    ...['0 capacity refused', '0 changed+ordered refused'],
    ...['1  held', '1 idle held', '1 changed held', '1 ordered refused', '1 deleted held'],
    ...['1 capacity held', '1 changed+ordered refused'],
  ]);
});
