import type { History, Seen, Violation } from '../history.ts';
import { replay } from '../world.ts';
import { writersOf } from '../writers.ts';

const RULE = 'S8 what belongs to others is left alone';

/** No write of ours changes a spec, or what others have written. */
export function foreignFieldsAreKept(history: History): readonly Violation[] {
  const writer = writersOf(history.calls);
  return replay(history, ({ seen, before }) => {
    const what = foreignOf(seen);
    const was = before === undefined ? undefined : foreignOf(before);
    if (writer(seen.version) !== 'us' || seen.gone || was === undefined) return [];
    if (was === what && !takesOwner(before, seen)) return [];
    return [{ rule: RULE, what: `${seen.object.name} was written, and not only what is ours`, version: seen.version }];
  });
}

/** What Corral makes it may put back, but not take away or give to another one. */
function takesOwner(before: Seen | undefined, seen: Seen): boolean {
  if (before?.kind !== 'pod' || seen.kind !== 'pod') return false;
  return before.object.owner !== undefined && before.object.owner !== seen.object.owner;
}

const foreignOf = (seen: Seen): string | undefined => ('foreign' in seen.object ? seen.object.foreign : undefined);
