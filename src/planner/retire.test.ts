import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replicaId } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import { milliseconds } from '../domain/units.ts';
import { aPool, aPreset, aReplica, planInput, readySince, scaled } from '../testing/worlds.ts';
import { plan } from './plan.ts';

/** Which of three replicas that have been idle since 0 leave for idleness at 1000. */
function idledOut(preset: Preset): string[] {
  const replicas = ['r1', 'r2', 'r3'].map((id) => ({ ...aReplica(preset, readySince(0)), id: replicaId(id) }));
  const pools = [aPool({ maxLoaded: 0 })];
  const { actions } = plan(planInput({ now: 1_000, pools, presets: [preset], replicas }));
  return actions.flatMap((action) =>
    action.kind === 'drain' && action.cause.kind === 'idle' ? [String(action.replica)] : [],
  );
}

describe('replicas that have been idle for their timeout', () => {
  const idleTimeout = milliseconds(500);
  const three = scaled(aPreset('a'), { maxReplicas: 3, idleTimeout });

  it('leave all, or down to minReplicas', () => {
    assert.deepEqual(idledOut(three), ['r1', 'r2', 'r3']);
    assert.deepEqual(idledOut(scaled(three, { minReplicas: 1 })), ['r1', 'r2']);
    assert.deepEqual(idledOut(scaled(three, { minReplicas: 3 })), []);
  });
  it('stay where there is no timeout, or it has not ended', () => {
    assert.deepEqual(idledOut(scaled(three, { idleTimeout: milliseconds(0) })), []);
    assert.deepEqual(idledOut(scaled(three, { idleTimeout: milliseconds(1_001) })), []);
  });
});
