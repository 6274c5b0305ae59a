import { isDone, OPERATOR } from './history.ts';
import type { Heard, History, PodFacts } from './history.ts';
import { replay } from './world.ts';
import type { World } from './world.ts';

/** A pod that the operator has created, in the moment in which it came to be. */
export interface Birth extends Heard {
  readonly pod: PodFacts;
  /** It goes on with the next change: not to be kept. */
  readonly world: World;
}

/** Takes the pods that the operator has created one after the other, and returns all that `look` finds at each. */
export function eachBirth<T>(history: History, look: (birth: Birth) => readonly T[]): readonly T[] {
  const calls = history.calls.filter((call) => call.user === OPERATOR && call.verb === 'create' && isDone(call));
  const ours = new Set(calls.flatMap(({ resource, uid }) => (resource === 'pods' && uid !== undefined ? [uid] : [])));
  return replay(history, ({ seen, before, world }) => {
    if (seen.kind !== 'pod' || seen.gone || before !== undefined || !ours.has(seen.object.uid)) return [];
    return look({ pod: seen.object, version: seen.version, at: seen.at, world });
  });
}
