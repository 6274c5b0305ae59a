import assert from 'node:assert/strict';
import type { AuditEvent } from './audit-log.ts';
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
