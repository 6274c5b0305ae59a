import type { Books, History, ModelFacts, Violation } from '../history.ts';
import { replay } from '../world.ts';

const RULE = 'S9 each request ends once';

/** In each report what has begun is what has ended and what is in flight, and at the end all has ended. */
export const requestsEndOnce = (history: History): readonly Violation[] => [
  ...reportsAddUp(history),
  ...history.books.flatMap(findFaults).map((what) => ({ rule: RULE, what, version: undefined })),
];

function reportsAddUp(history: History): readonly Violation[] {
  const last = new Map<string, ModelFacts>();
  return replay(history, ({ seen }) => {
    if (seen.kind !== 'report') return [];
    const { boot, name, models } = seen.object;
    return models.flatMap((model) => {
      const key = `${boot}/${model.key}`;
      const what = findFault(last.get(key), model);
      last.set(key, model);
      return what === undefined ? [] : [{ rule: RULE, what: `${name}: ${model.key}: ${what}`, version: seen.version }];
    });
  });
}

function findFault(before: ModelFacts | undefined, { started, finished, inFlight }: ModelFacts): string | undefined {
  if (started - finished !== inFlight)
    return `${started} have begun, ${finished} have ended, ${inFlight} are in flight`;
  if (before !== undefined && (started < before.started || finished < before.finished)) return 'its totals went back';
  return undefined;
}

function findFaults({ edge, ended, measured, inFlight, waiting }: Books): readonly string[] {
  const faults: string[] = [];
  if (ended !== measured) faults.push(`${edge} has counted ${ended} ends of ${measured} requests`);
  if (inFlight !== 0) faults.push(`${edge} has ${inFlight} requests in flight when nobody asks any more`);
  if (waiting !== 0) faults.push(`${edge} has ${waiting} requests waiting when nobody asks any more`);
  return faults;
}
