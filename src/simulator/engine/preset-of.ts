import { modelName, presetUid } from '../../domain/ids.ts';
import type { Preset } from '../../domain/preset.ts';
import { milliseconds } from '../../domain/units.ts';
import type { Scenario, SimulatedModel } from '../scenario.ts';

/** A model of a scenario as the planner knows one; its uid is its name, and nothing about it ever changes. */
export function presetOf(model: SimulatedModel, { name, pool, maxWait }: Scenario): Preset {
  const { minReplicas, maxReplicas, targetInFlight, idleTimeout, loadTime, stopTime } = model;
  return {
    uid: presetUid(model.name),
    model: modelName(model.name),
    aliases: [],
    variants: [],
    tags: [],
    pool: pool.name,
    footprint: model.footprint,
    priority: model.priority,
    launch: { args: [], env: new Map(), stopTimeout: stopTime },
    rendered: model.name,
    serves: model.name,
    scaling: {
      minReplicas,
      maxReplicas,
      targetInFlight,
      idleTimeout,
      loadTimeout: milliseconds(loadTime * 2 + 1),
      autoload: true,
      loadOnStartup: false,
    },
    queue: { maxWaiting: Infinity, maxWait },
    origin: { kind: 'preset', file: name },
  };
}
