import assert from 'node:assert/strict';
import type { AuditEvent } from './audit-log.ts';
import { textAt } from './field-at.ts';
import type { TestCluster } from './test-cluster.ts';
import { COMPONENTS, SYSTEM } from './corral-names.ts';
import type { Component } from './corral-names.ts';

/** What a component is allowed to do, and what it does: `verb group/resource/subresource`. */
export type Right = string;

/** As whom a component calls the API server. */
export const userOf = (component: Component): string => `system:serviceaccount:${SYSTEM}:corral-${component}`;

/** The calls that a component has made so far. */
export async function callsOf(cluster: TestCluster, component: Component): Promise<readonly AuditEvent[]> {
  const events = await cluster.auditLog();
  return events.filter(({ user, objectRef }) => user.username === userOf(component) && objectRef !== undefined);
}

/** Throws if a component has ever tried what it may not do. */
export async function assertNothingForbidden(cluster: TestCluster): Promise<void> {
  for (const component of COMPONENTS) {
    const refused = (await callsOf(cluster, component)).filter(isForbidden).map(rightOf);
    assert.deepEqual(refused, [], `the ${component} may not do what it tries to do`);
  }
}

/** Whether a call was refused for a lack of rights, and not by an admission plugin, which answers 403 too. */
const isForbidden = ({ annotations }: AuditEvent): boolean =>
  annotations?.['authorization.k8s.io/decision'] === 'forbid';

/** The right that a call has used. */
export function rightOf({ verb, objectRef }: AuditEvent): Right {
  if (objectRef === undefined) throw new Error('a call without an object');
  const { apiGroup = '', resource, subresource } = objectRef;
  return renderRight({
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
  });
}

export const renderRight = (right: {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}): Right => `${right.verb} ${right.group}/${right.resource}`;

/** When the API server had a call, and when it had answered it, in milliseconds since 1970. */
export const receivedAt = (event: AuditEvent): number => inMs(event.requestReceivedTimestamp);
export const answeredAt = (event: AuditEvent): number => inMs(event.stageTimestamp);

/** The API server writes microseconds, which Date.parse drops. */
function inMs(timestamp: string): number {
  const [, fraction = '0'] = /\.(\d+)Z$/u.exec(timestamp) ?? [];
  return Math.floor(Date.parse(timestamp) / 1000) * 1000 + Number(`0.${fraction}`) * 1000;
}

/** A call that has made a pod, or one of its subresources. */
export const isCreationOfPod = (
  { verb, objectRef, requestURI, responseStatus }: AuditEvent,
  subresource?: string,
): boolean =>
  verb === 'create' &&
  objectRef?.resource === 'pods' &&
  objectRef.subresource === subresource &&
  responseStatus?.code === 201 &&
  !requestURI.includes('dryRun');

/** The name of what a call has created, which the server may have given. */
export const createdName = ({ objectRef, responseObject }: AuditEvent): string | undefined =>
  objectRef?.name ?? textAt(responseObject, 'metadata', 'name');
