import { HEARD_WITHIN } from '../history.ts';
import type { ConditionFacts, DeclaredFacts, DeploymentFacts, History, Seen, Violation } from '../history.ts';
import { replay } from '../world.ts';
import type { Step } from '../world.ts';
import { writersOf } from '../writers.ts';

const RULE = 'S7 a status never goes back, and Ready is ready';

/** What was lately so and is no more: who decided on a status may not have heard of its end. */
interface Lately {
  /** When a report of an edge went. */
  edgeAt: number;
  /** When a preset had a ready pod less. */
  readonly readyAt: Map<string, number>;
}

/** Observed generations and times of transition only grow; who is called ready or loaded is. What others write is theirs. */
export function statusesAreHonest(history: History): readonly Violation[] {
  const writer = writersOf(history.calls);
  const lately: Lately = { edgeAt: -Infinity, readyAt: new Map() };
  return replay(history, (step) => {
    remember(lately, step);
    if (writer(step.seen.version) === 'others') return [];
    return findFaults(step, lately).map((fault) => ({
      rule: RULE,
      what: `${step.seen.object.name}: ${fault}`,
      version: step.seen.version,
    }));
  });
}

function remember(lately: Lately, { seen, before }: Step): void {
  if (seen.kind === 'report' && seen.gone) lately.edgeAt = seen.at;
  if (before?.kind !== 'pod' || !before.object.isReady) return;
  lately.readyAt.set(`${String(before.object.owner)}/${before.object.preset}`, seen.at);
}

function findFaults(step: Step, lately: Lately): readonly string[] {
  const { seen, before } = step;
  if (seen.gone || (seen.kind !== 'deployment' && seen.kind !== 'pool')) return [];
  const back = before?.kind === seen.kind ? wentBack(before.object, seen.object) : [];
  return seen.kind === 'pool' ? back : [...back, ...findUntrue(seen, step, lately)];
}

function wentBack(was: DeclaredFacts, is: DeclaredFacts): readonly string[] {
  const conditions = is.conditions.flatMap((now) => {
    const before = was.conditions.find(({ type }) => type === now.type);
    return before === undefined ? [] : conditionWentBack(before, now);
  });
  const observed = `observedGeneration went from ${was.observed} to ${is.observed}`;
  return is.observed < was.observed ? [observed, ...conditions] : conditions;
}

function conditionWentBack(was: ConditionFacts, is: ConditionFacts): readonly string[] {
  const faults: string[] = [];
  if (is.generation < was.generation) faults.push(`${is.type} is of generation ${is.generation} after ${was.generation}`); // prettier-ignore
  if (Date.parse(is.transition) < Date.parse(was.transition)) faults.push(`${is.type} turned at ${is.transition}, before ${was.transition}`); // prettier-ignore
  if (is.status === was.status && is.transition !== was.transition) faults.push(`${is.type} turned without turning`);
  return faults;
}

type SeenDeployment = Seen & { readonly kind: 'deployment' };

/** Only what this change says anew: what was said before was judged then. */
function findUntrue(seen: SeenDeployment, { before, world }: Step, lately: Lately): readonly string[] {
  const { object, at } = seen;
  const was = before?.kind === 'deployment' ? before.object : undefined;
  const since = at - HEARD_WITHIN;
  const isNews = isReady(object) && (was === undefined || !isReady(was));
  const hasEdge = world.reports.size > 0 || lately.edgeAt >= since;
  const loaded = object.loaded.filter((name) => was?.loaded.includes(name) !== true);
  const empty = loaded.filter((preset) => {
    const readyAt = lately.readyAt.get(`${object.uid}/${preset}`);
    return !hasReadyPod(world, object.uid, preset) && (readyAt === undefined || readyAt < since);
  });
  return [
    ...(isNews && !hasEdge ? ['it is called Ready without an edge'] : []),
    // Ready is about the accepted ones: of a preset that was refused, its name may be another's.
    ...(isNews && areAllAccepted(object) ? object.nameless.map((preset) => `it is called Ready, and no name leads to ${preset}`) : []), // prettier-ignore
    ...empty.map((preset) => `${preset} is called loaded, and no pod of it is ready`),
  ];
}

const holds = ({ conditions }: DeploymentFacts, wanted: string): boolean =>
  conditions.some(({ type, status }) => type === wanted && status === 'True');
const isReady = (deployment: DeploymentFacts): boolean => holds(deployment, 'Ready');
const areAllAccepted = (deployment: DeploymentFacts): boolean => holds(deployment, 'PresetsAccepted');

const hasReadyPod = ({ pods }: Step['world'], owner: string, preset: string): boolean =>
  [...pods.values()].some(({ object }) => object.owner === owner && object.preset === preset && object.isReady);
