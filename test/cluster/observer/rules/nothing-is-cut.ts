import { isDone, OPERATOR } from '../history.ts';
import type { Call, History, Seen, Violation } from '../history.ts';
import { replay } from '../world.ts';
import type { World } from '../world.ts';

const RULE = 'S2 nothing in flight is cut';

/** Up to this many seconds of grace are none: a pod that is deleted with its own grace waits for its slots. */
const SHORT_GRACE = 5;

/** No pod whose server runs is ended while an edge that runs says that it has requests there. */
export function nothingIsCut(history: History): readonly Violation[] {
  const ended = new Set(history.calls.filter(isOurEnd).map(({ onlyUid }) => onlyUid));
  return replay(history, ({ seen, before, world }) => {
    if (before?.kind !== 'pod' || !ended.has(seen.object.uid) || !isFirstEnd(seen, before)) return [];
    const busy = before.object.isServerOver ? [] : edgesWith(world, seen.object.uid);
    return busy.map((what) => ({
      rule: RULE,
      what: `${seen.object.name} was deleted: ${what}`,
      version: seen.version,
    }));
  });
}

const isOurEnd = (call: Call): boolean =>
  call.user === OPERATOR &&
  call.verb === 'delete' &&
  call.resource === 'pods' &&
  isDone(call) &&
  call.graceSeconds !== undefined &&
  call.graceSeconds <= SHORT_GRACE;

const isFirstEnd = (seen: Seen, before: Seen & { readonly kind: 'pod' }): boolean =>
  seen.kind === 'pod' && !before.object.isDeleting && (seen.gone || seen.object.isDeleting);

function edgesWith({ reports, pods }: World, uid: string): readonly string[] {
  return [...reports.values()].flatMap(({ object: { name, edge, inFlight } }) => {
    const requests = inFlight.get(uid);
    const runs = pods.get(edge)?.object.hasEnded === false;
    return requests === undefined || requests === 0 || !runs ? [] : [`${name} has ${requests} in flight there`];
  });
}
