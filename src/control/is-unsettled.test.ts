import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolName } from '../domain/ids.ts';
import type { Preset } from '../domain/preset.ts';
import type { ReplicaState } from '../domain/replica.ts';
import { instant } from '../domain/units.ts';
import { aPreset, aReplica, drainingSince, readySince, stoppingSince } from '../testing/worlds.ts';
import { isUnsettled } from './is-unsettled.ts';

const a = aPreset('a');
const IDLE = { kind: 'idle', since: instant(0) } as const;

const look = (state: ReplicaState, presets: readonly Preset[] = [a], isKnown = true): boolean =>
  isUnsettled(
    { presets, replicas: [aReplica(a, state)], activity: { activity: () => (isKnown ? IDLE : { kind: 'unknown' }) } },
    [],
  );

describe('the end of a request matters', () => {
  it('not while everything is as it has to be', () => {
    assert.ok(!look(readySince(0)));
    assert.ok(!look(stoppingSince(0), [], false));
  });
  it('while something drains', () => {
    assert.ok(look(drainingSince(0)));
  });
  it('while a replica runs that has to be replaced or to go', () => {
    assert.ok(look(readySince(0), [{ ...a, rendered: 'a-2' }]));
    assert.ok(look(readySince(0), [{ ...a, pool: poolName('other') }]));
    assert.ok(look(readySince(0), []));
  });
  it('while nobody knows whether a replica is in use', () => {
    assert.ok(look(readySince(0), [a], false));
  });
  it('while somebody waits', () => {
    const reason = { kind: 'AutoloadOff' } as const;
    const scene = { presets: [a], replicas: [], activity: { activity: () => IDLE } };
    assert.ok(isUnsettled(scene, [{ preset: a.uid, reason, position: undefined }]));
  });
});
