import { eachBirth } from '../births.ts';
import type { Birth } from '../births.ts';
import { HEARD_WITHIN } from '../history.ts';
import type { History, Violation } from '../history.ts';
import { believable } from '../world.ts';

const RULE = 'S3 nothing runs for a model that nobody declares';

/** Each pod that we create belongs to a preset of a ModelDeployment that is there, by its uid. */
export const ownersAreLive = (history: History): readonly Violation[] => eachBirth(history, judge);

function judge({ pod, world, at, version }: Birth): readonly Violation[] {
  const declared = believable(world.deployments.values(), world.pastDeployments, { at, within: HEARD_WITHIN });
  const owners = declared.filter(({ uid, isDeleting }) => uid === pod.owner && !isDeleting);
  const why = describe(owners.length, owners.some(({ presets }) => presets.some(({ name }) => name === pod.preset))); // prettier-ignore
  return why === undefined ? [] : [{ rule: RULE, what: `${pod.name} of ${pod.preset} was created: ${why}`, version }];
}

function describe(owners: number, isDeclared: boolean): string | undefined {
  if (owners === 0) return 'there is no ModelDeployment of its uid';
  return isDeclared ? undefined : 'its ModelDeployment declares no such preset';
}
