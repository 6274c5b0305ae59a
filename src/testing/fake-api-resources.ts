import type { Resource } from '../kube/kube-object.ts';

/** A kind that the fake API server has. */
export interface FakeResource extends Resource {
  readonly kind: string;
  /** Writes of the object leave its status alone, and writes of `/status` leave all else alone. */
  readonly hasStatus: boolean;
}

const corral = (plural: string, kind: string, hasStatus: boolean): FakeResource => ({
  group: 'corral.dev',
  version: 'v1alpha1',
  plural,
  namespaced: plural !== 'modelpools',
  kind,
  hasStatus,
});

const builtIn = (group: string, plural: string, kind: string, hasStatus: boolean): FakeResource => ({
  group,
  version: 'v1',
  plural,
  namespaced: true,
  kind,
  hasStatus,
});

/** What a fake API server has unless more is asked for. */
export const FAKE_RESOURCES: readonly FakeResource[] = [
  builtIn('', 'pods', 'Pod', true),
  { ...builtIn('', 'namespaces', 'Namespace', true), namespaced: false },
  builtIn('', 'configmaps', 'ConfigMap', false),
  builtIn('', 'events', 'Event', false),
  builtIn('events.k8s.io', 'events', 'Event', false),
  builtIn('coordination.k8s.io', 'leases', 'Lease', false),
  corral('modeldeployments', 'ModelDeployment', true),
  corral('modelpools', 'ModelPool', true),
  corral('edgereports', 'EdgeReport', false),
];

export const resourceKey = ({ group, version, plural }: Resource): string => `${group}/${version}/${plural}`;

export const apiVersionOf = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);

/** Kinds that Kubernetes brings along: the items of their lists do not repeat their kind. */
export const isBuiltIn = ({ group }: Resource): boolean => !group.includes('.') || group.endsWith('.k8s.io');
