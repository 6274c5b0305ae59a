import type { AuditEvent } from '../support/audit-log.ts';
import type { Call } from './history.ts';

const WRITES = ['create', 'update', 'patch', 'delete'];
/** Of these, those of others tell who has made a version. */
const WATCHED = ['pods', 'modeldeployments', 'modelpools'];
const CORRAL = 'system:serviceaccount:corral-system:corral-';

/** A write that matters to some rule; `undefined`: it is none. Throws where it was let in without anybody's name. */
export function readCall(event: AuditEvent): Call | undefined {
  const { verb, user, objectRef } = event;
  if (!WRITES.includes(verb) || objectRef === undefined) return undefined;
  const { username } = user;
  if (username === undefined) {
    assertRefused(event);
    return undefined;
  }
  if (!username.startsWith(CORRAL) && !WATCHED.includes(objectRef.resource)) return undefined;
  const { name: answered, ...answer } = answerOf(event);
  return {
    received: Date.parse(event.requestReceivedTimestamp),
    answered: Date.parse(event.stageTimestamp),
    user: username,
    pod: user.extra?.['authentication.kubernetes.io/pod-name']?.[0],
    verb,
    ...targetOf(objectRef, answered),
    isDryRun: new URL(event.requestURI, 'http://api').searchParams.has('dryRun'),
    // Without a status the answer never came.
    code: event.responseStatus?.code ?? 0,
    ...answer,
    ...conditionsOf(event.requestObject),
  };
}

/** Whoever could not say who it is has written nothing. */
function assertRefused(event: AuditEvent): void {
  if (event.responseStatus?.code !== 401)
    throw new Error(`a call of nobody that was not refused: ${JSON.stringify(event)}`);
}

/** `answered`: the name in the answer; that of a new object is not in the path. */
function targetOf(
  { resource, subresource, namespace = '', name }: NonNullable<AuditEvent['objectRef']>,
  answered = '',
): Pick<Call, 'resource' | 'namespace' | 'name'> {
  return {
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name: name ?? answered,
  };
}

interface Answer {
  readonly metadata?: { readonly uid?: string; readonly name?: string; readonly resourceVersion?: string };
  readonly details?: { readonly uid?: string };
  readonly spec?: { readonly holderIdentity?: string };
}

type Answered = Pick<Call, 'uid' | 'version' | 'holder'> & { readonly name: string | undefined };

function answerOf({ responseObject }: AuditEvent): Answered {
  const { metadata, details, spec } = partsOf<Answer>(responseObject);
  const version = metadata?.resourceVersion;
  return {
    uid: metadata?.uid ?? details?.uid,
    name: metadata?.name,
    version: numberOf(version),
    holder: spec?.holderIdentity,
  };
}

interface Asked {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
}

function conditionsOf(requestObject: unknown): Pick<Call, 'onlyUid' | 'onlyVersion' | 'graceSeconds'> {
  if (Array.isArray(requestObject)) return conditionsOfPatch(requestObject);
  const { metadata, preconditions, gracePeriodSeconds } = partsOf<Asked>(requestObject);
  const { uid, resourceVersion } = preconditions ?? metadata ?? {};
  return { onlyUid: uid, onlyVersion: numberOf(resourceVersion), graceSeconds: gracePeriodSeconds };
}

/** Of a JSON patch (RFC 6902), the uid that it tests, and the version that it sets: that must be the object's. */
function conditionsOfPatch(operations: readonly unknown[]): Pick<Call, 'onlyUid' | 'onlyVersion' | 'graceSeconds'> {
  const valueOf = (wanted: string, at: string): string | undefined =>
    operations.map(partsOf<Operation>).find(({ op, path }) => op === wanted && path === at)?.value;
  const version = valueOf('replace', '/metadata/resourceVersion');
  return { onlyUid: valueOf('test', '/metadata/uid'), onlyVersion: numberOf(version), graceSeconds: undefined };
}

/** Those of metadata have texts as their values. */
interface Operation {
  readonly op?: string;
  readonly path?: string;
  readonly value?: string;
}

const numberOf = (version: string | undefined): number | undefined =>
  version === undefined || version === '' ? undefined : Number(version);

/** The API server has checked it, or has refused the call. */
const partsOf = <T extends object>(object: unknown): Partial<T> =>
  typeof object === 'object' && object !== null ? object : {};
