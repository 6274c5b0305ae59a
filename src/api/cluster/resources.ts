import { GROUP, VERSION } from '../manifest-schema.ts';

/** The kinds of objects that Corral reads and writes, as the URLs of an API server name them. */
export const MODEL_DEPLOYMENTS = {
  group: GROUP,
  version: VERSION,
  plural: 'modeldeployments',
  namespaced: true,
} as const;
export const MODEL_POOLS = { group: GROUP, version: VERSION, plural: 'modelpools', namespaced: false } as const;
export const EDGE_REPORTS = { group: GROUP, version: VERSION, plural: 'edgereports', namespaced: true } as const;
export const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true } as const;
export const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true } as const;
export const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', namespaced: false } as const;
/** Events as kubelets write them, which can be selected by the pod that they are about. */
export const POD_EVENTS = { group: '', version: 'v1', plural: 'events', namespaced: true } as const;
export const EVENTS = { group: 'events.k8s.io', version: 'v1', plural: 'events', namespaced: true } as const;
