import type { AuditEvent } from '../../cluster/support/audit-log.ts';
import { answeredAt, createdName, isCreationOfPod, receivedAt, userOf } from '../../cluster/support/audit.ts';

/** What happens from a request for a model that is not loaded to the first byte of its answer, in this order. */
export const STEPS = ['held', 'reported', 'planned', 'created', 'scheduled', 'started', 'ready', 'first byte'] as const;

export type Step = (typeof STEPS)[number];

/** When each step was done, in milliseconds since 1970. */
export type TimeLine = Readonly<Record<Step, number>>;

/** What client and watch have seen of one cold start. */
export interface Seen {
  /** Of the ModelDeployment. */
  readonly deployment: string;
  readonly pod: string;
  readonly held: number;
  readonly started: number;
  readonly ready: number;
  readonly firstByte: number;
}

/** Puts what was seen together with what the API server has logged. Throws if a step is in neither. */
export function timeLineOf(log: readonly AuditEvent[], seen: Seen): TimeLine {
  const since = log.filter((event) => receivedAt(event) >= seen.held);
  const find = (step: Step, isIt: (event: AuditEvent) => boolean): AuditEvent => {
    const event = since.find(isIt);
    if (event === undefined) throw new Error(`the API server has logged nothing of a pod that is ${step}`);
    return event;
  };
  const report = find('reported', (event) => isReport(event));
  const plan = find(
    'planned',
    (event) => isLookAtOwner(event, seen.deployment) && receivedAt(event) >= receivedAt(report),
  );
  const creation = find('created', (event) => isCreationOfPod(event) && createdName(event) === seen.pod);
  const binding = find('scheduled', (event) => isCreationOfPod(event, 'binding') && createdName(event) === seen.pod);
  return {
    held: seen.held,
    reported: answeredAt(report),
    planned: receivedAt(plan),
    created: answeredAt(creation),
    scheduled: answeredAt(binding),
    started: seen.started,
    ready: seen.ready,
    'first byte': seen.firstByte,
  };
}

const isReport = ({ user, verb, objectRef }: AuditEvent): boolean =>
  user.username === userOf('edge') && verb !== 'get' && objectRef?.resource === 'edgereports';

/** The operator's first call for a pod that it is to make: whether the ModelDeployment is still there. */
const isLookAtOwner = ({ user, verb, objectRef }: AuditEvent, deployment: string): boolean =>
  user.username === userOf('operator') &&
  verb === 'get' &&
  objectRef?.resource === 'modeldeployments' &&
  objectRef.name === deployment;
